"""The pages are checked: their links, their samples, what they claim, and the site that they make."""
