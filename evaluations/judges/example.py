"""The built-in example that a trial grades: the answer has one wrong number."""

from evaluations.judges.prompts import CORRECT, prompt_for

MESSAGES = [
    {
        "role": "user",
        "content": "Summarise the clause in one line.\n\nEither party may end this agreement by giving the other at "
        "least 30 days’ notice in writing. Fees that are due before the end stay payable.",
    }
]
REFERENCE = "Either party may end the agreement with 30 days’ written notice; fees already due stay payable."
ANSWER = "Either party may end the agreement with 60 days’ written notice; fees already due stay payable."

EXAMPLE = prompt_for(CORRECT, messages=MESSAGES, reference=REFERENCE, answer=ANSWER)
