"""The formats of data files, each told by the bytes that its files start with."""
