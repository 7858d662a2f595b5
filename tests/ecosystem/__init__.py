"""The frameworks that people use, each as one site, served by ESG and by others.

sites/         the same application, written with each framework
contract       what every one of them is put to, over real connections
events, socketio, graphql   the same for what speaks a protocol of its own
frameworks     which site has what, and why not the rest
targets        the servers
environment    where they run: versions of requirements.txt, in .cache/ecosystem
matrix         docs/ecosystem.md
"""
