"""Point-in-time features, labels and folds."""
