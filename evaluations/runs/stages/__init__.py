"""The stages of an evaluation: its rows, the models' answers, their scores, and the grades of the site's judge."""
