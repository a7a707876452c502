"""The names of a bundle's files and of its graph's input and output."""

MODEL, MANIFEST = "model.onnx", "manifest.json"
INPUT, OUTPUT = "features", "risk"
