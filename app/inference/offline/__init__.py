"""What commands over many files share: the network in this process, files in order, progress, paths."""
