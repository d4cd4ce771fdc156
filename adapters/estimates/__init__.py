"""What a training would take: time, money, memory."""
