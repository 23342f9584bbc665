"""The network of a fold as one ONNX graph, from features to logits, held against torch's own."""
