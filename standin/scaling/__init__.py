"""What scales endpoints: CloudWatch's metrics and alarms, and Application Auto Scaling."""
