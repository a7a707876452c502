"""All that knows params.yaml and DVC."""
