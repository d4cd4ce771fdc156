"""rows.idx: the position of each row, so that any row can be read on its own.

Records of 32 bytes: the training rows in order, then the test rows. `offset` and `bytes` locate a row's line in
train.jsonl or test.jsonl; `line` is where it stood in the customer's file.
"""

import numpy as np

RECORD = np.dtype([("id", "V16"), ("offset", "<u8"), ("bytes", "<u4"), ("line", "<u4")])
