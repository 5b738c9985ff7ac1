"""Pages and tables for people to read, which the commands write and print."""
