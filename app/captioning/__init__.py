"""The command ``glassbot caption``: captions for folders of pictures, by the network here or by a running service."""
