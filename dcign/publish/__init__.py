"""A trained network for other programs: Hugging Face hub, ONNX, and the model card.

Comes in: a TrainedRun. Goes out: files that other programs read, and DCIGN.from_pretrained.
Never imports the training loop, the renderer or the face model.
"""
