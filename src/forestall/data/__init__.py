"""A plant's tables: the dataset file, reading, cleaning, the simulated fleet."""
