"""The names of a bundle's files and of its graph's input and output."""

MODEL, MANIFEST, BASELINES = "model.onnx", "manifest.json", "baselines.parquet"
INPUT, OUTPUT = "features", "risk"
