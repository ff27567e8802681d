"""Hub, ONNX and the model card."""
