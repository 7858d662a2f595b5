/* Bring the page to life. */

import { enableChat } from "./chat_panel.js";
import { enableEcho } from "./echo_panel.js";
import { enableEvents } from "./events_panel.js";
import { enableRequest } from "./request_panel.js";
import { showServer } from "./server_facts.js";
import { enableStream } from "./stream_panel.js";
import { enableUpload } from "./upload_panel.js";

enableStream();
enableUpload();
enableEvents();
enableEcho();
enableChat();
showServer();
enableRequest();
