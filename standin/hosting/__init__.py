"""SageMaker hosting: models, endpoints of inference components, and invocations that a real engine answers."""
