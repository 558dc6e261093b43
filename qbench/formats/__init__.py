"""What files of other tools say of themselves, read once: `.tflite` and ONNX."""
