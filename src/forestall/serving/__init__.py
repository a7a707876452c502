"""What is served: the bundle, its risks and their reasons."""
