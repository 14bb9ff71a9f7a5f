"""The rows of a custom model's request, written as MLflow's scoring server reads them."""
