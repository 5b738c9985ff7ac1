"""``glassbot caption``: folders of pictures, by the network in this process or by a service elsewhere."""
