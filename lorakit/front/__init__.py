"""A front in AWS Lambda for callers inside an AWS account: routing and SageMaker's endpoint, without the portal."""
