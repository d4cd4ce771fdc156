"""Jobs whose work a compute backend does: their shared step, their events, and what their runs leave behind."""
