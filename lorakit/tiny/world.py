"""The synthetic world: random names and figures, and sentence templates from five fields of work.

Everything is a pure function of a `random.Random`, so the same seed gives the same text on every machine.
Company names are composed of syllables, so that a model can only copy them, never recall them.
"""

# ruff: noqa: ISC004, SIM905 - word lists and templates read better unbroken

from collections.abc import Callable
from random import Random

Slots = dict[str, str]
"""Slot name -> its text in a template."""

NameMaker = Callable[[Random], str]

FIRST_NAMES = (
    "Alice Bruno Carla Deepak Elena Farid Grace Hiro Ines Jonas Kavya Liam Mira Noah Olga Pavel Quinn Rosa Samir "
    "Tara Umar Vera Wendy Xavier Yara Zane Nadia Oscar Petra Ravi"
).split()
LAST_NAMES = (
    "Adler Banerjee Castillo Duarte Eriksen Fontaine Gupta Hassan Ivanov Jensen Kowalski Lopez Meyer Novak Okafor "
    "Patel Quispe Rossi Sato Tanaka Usman Vargas Weber Xu Yilmaz Zhang"
).split()
SYLLABLES = (
    "ka ro mi tel van dor lux ner qui bra sol fen tra pol gra zen mar vi cor dal nex ur bel ast ven om ri sta lo pri "
    "hal to ger pax ona ith"
).split()
ONSETS = "b c d f g h j k l m n p r s t v w x z br cr dr fl gr kl pr sk st tr".split()
VOWELS = "a e i o u ai ea io ou".split()
LEGAL_FORMS = "Ltd Inc GmbH LLC Corp Group Partners Holdings".split()
PLACES = (
    "Delaware;New York;California;Texas;England;Ontario;Ireland;Singapore;Bavaria;Victoria;Florida;Scotland;Geneva;"
    "Madrid;Oslo"
).split(";")
MONTHS = ("January February March April May June July August September October November December").split()
NOTICE_DAYS = (7, 10, 14, 15, 20, 21, 30, 45, 60, 90, 120)
PRODUCTS = (
    "router laptop headset kettle blender camera tablet phone charger monitor printer keyboard lamp chair desk "
    "backpack jacket speaker watch vacuum"
).split()
ORDER_LETTERS = "ABCDEFGHKLMNPRSTXZ"


def company_name(rng: Random) -> str:
    """A made-up company: two or three syllables and a legal form."""
    parts = rng.choice([2, 2, 3])
    if rng.random() < 0.5:
        stem = "".join(rng.choice(SYLLABLES) for _ in range(parts))
    else:
        stem = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(parts))
        stem += rng.choice(["", "", "n", "x", "s"])
    return f"{stem.capitalize()} {rng.choice(LEGAL_FORMS)}"


def random_name(rng: Random) -> str:
    """A company name of random letters, for training the tokenizer.

    A tokenizer trained on the world's syllables would split names into long, rare tokens, and the model would learn to
    copy much later.
    """
    letters = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(4, 9)))
    return f"{letters.capitalize()} {rng.choice(LEGAL_FORMS)}"


def person_name(rng: Random) -> str:
    """A first and a last name."""
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def order_number(rng: Random) -> str:
    """Two letters, a dash and four or five digits."""
    return f"{rng.choice(ORDER_LETTERS)}{rng.choice(ORDER_LETTERS)}-{rng.randint(1000, 99999)}"


def amount(rng: Random) -> str:
    """An amount of money in one of three formats."""
    style = rng.randrange(3)
    if style == 0:
        return f"${rng.randint(10, 999)}"
    if style == 1:
        return f"${rng.randint(1, 99)},{rng.randint(0, 9)}00"
    return f"${rng.randint(1, 20)} million"


def draw_slots(rng: Random, company: NameMaker = company_name) -> Slots:
    """A value for every slot that a template can use."""
    return {
        "company": company(rng),
        "other": company(rng),
        "person": person_name(rng),
        "amount": amount(rng),
        "date": f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(2019, 2031)}",
        "place": rng.choice(PLACES),
        "order": order_number(rng),
        "days": str(rng.choice(NOTICE_DAYS)),
        "percent": f"{rng.randint(1, 40)}%",
        "product": rng.choice(PRODUCTS),
        "years": str(rng.randint(1, 10)),
    }


LEGAL: dict[str, list[str]] = {
    "termination": [
        "{company} may terminate this Agreement by giving {other} {days} days written notice.",
        "This Agreement may be ended by {company} at any time upon {days} days prior notice in writing to {other}.",
        "Either {company} or {other} can terminate for convenience, provided that {days} days notice is given.",
        "Upon {days} days notice to {other}, {company} shall be entitled to terminate this Agreement without cause.",
        "If {other} commits a material breach, {company} may cancel this Agreement after {days} days.",
        "{company} reserves the right to bring this Agreement to an end on {days} days notice delivered to {other}.",
    ],
    "payment": [
        "{other} shall pay {company} the sum of {amount} within {days} days of the invoice date.",
        "All invoices issued by {company} are payable by {other} in {days} days. The fee is {amount}.",
        "In consideration of the services, {other} agrees to pay {amount} to {company} no later than {days} days "
        "after receipt of invoice.",
        "The total fee of {amount} becomes due to {company} from {other} {days} days after delivery.",
        "{other} must settle each invoice of {company}, being {amount} per month, within {days} days.",
        "Fees in the amount of {amount} shall be remitted by {other} to {company} within {days} days.",
    ],
    "confidentiality": [
        "{other} shall keep all information of {company} strictly confidential for {years} years.",
        "For a period of {years} years {other} must not disclose any confidential information received from {company}.",
        "{other} agrees to hold the trade secrets of {company} in confidence and this duty survives for {years} years.",
        "Confidential information disclosed by {company} may not be shared by {other} with third parties for "
        "{years} years.",
        "The parties agree that {other} will protect the secret information of {company} during {years} years.",
        "{other} will treat as secret everything disclosed by {company} and shall not reveal it for {years} years.",
    ],
    "liability": [
        "The liability of {company} under this Agreement shall not exceed {amount}.",
        "In no event shall {company} be liable to {other} for damages above {amount}.",
        "The aggregate liability of {company} to {other} is limited to {amount}.",
        "{company} will not be responsible for any loss of {other} in excess of {amount}.",
        "Damages payable by {company} for any claim of {other} are capped at {amount}.",
        "Any claim of {other} against {company} shall be limited to the maximum of {amount}.",
    ],
    "law": [
        "This Agreement is governed by the laws of {place}.",
        "The laws of {place} apply to this Agreement between {company} and {other}.",
        "Any dispute between {company} and {other} shall be settled by the courts of {place}.",
        "This contract shall be construed under the law of {place} and its courts have jurisdiction.",
        "{company} and {other} submit to the exclusive jurisdiction of the courts of {place}.",
        "The governing law of this Agreement, made by {company} with {other}, is that of {place}.",
    ],
    "renewal": [
        "This Agreement renews automatically for {years} years unless {other} objects {days} days before expiry.",
        "Unless {other} gives {days} days notice, the term is extended for a further {years} years.",
        "The contract with {company} shall be renewed for {years} years if {other} does not object within {days} days.",
        "At the end of the term the Agreement is prolonged by {years} years save where {other} gives {days} days "
        "notice.",
        "{company} and {other} agree to automatic renewal for {years} years, with an opt out of {days} days.",
        "The term shall roll over for {years} years, unless {other} opts out {days} days ahead.",
    ],
    "delivery": [
        "{company} shall deliver the goods to {other} no later than {date}.",
        "Delivery of the goods by {company} to {other} must take place on {date}.",
        "{company} undertakes to ship all items to {other} by {date}.",
        "The goods shall be handed over to {other} by {company} on or before {date}.",
        "{other} shall receive the goods from {company} on {date} at the latest.",
        "By {date} {company} must have delivered the goods to {other}.",
    ],
}

SUPPORT: dict[str, list[str]] = {
    "refund": [
        "Hi, I was charged {amount} twice for order {order} and want my money back.",
        "Please refund {amount} for order {order}, I cancelled it last week.",
        "My card shows {amount} for {order} but I returned the {product}. When do I get the refund?",
        "I need the {amount} paid for my {product} returned to my account, order {order}.",
        "You billed me {amount} by mistake on {order}, give it back please.",
    ],
    "delivery": [
        "Where is my {product}? Order {order} should have arrived on {date}.",
        "Order {order} has not arrived yet. The {product} is late.",
        "The tracking page for {order} has not moved since {date}.",
        "My {product} was sent to the wrong address, order {order}.",
        "Still waiting for the package {order} with my {product}.",
    ],
    "defect": [
        "The {product} from order {order} stopped working after {days} days.",
        "My new {product} is broken, the screen is cracked. Order {order}.",
        "The {product} makes a loud noise and does not turn on, order {order}.",
        "I received a damaged {product} in order {order}.",
        "After {days} days of use the {product} is dead. Order number {order}.",
    ],
    "login": [
        "I cannot log in to my account, the password reset mail never arrives.",
        "Please change the email of my account to the one of {person}.",
        "My account is locked after three attempts to sign in.",
        "How do I delete my account and my data?",
        "The login page says my user {person} does not exist.",
    ],
    "invoice": [
        "Can you send me the invoice for order {order}? I need it for taxes.",
        "The invoice of {order} shows the wrong company, it should be {company}.",
        "I need a receipt of {amount} made out to {company}.",
        "Please add the tax number of {company} to the bill of order {order}.",
        "No invoice was attached to order {order}.",
    ],
    "praise": [
        "Thank you, the {product} is great and arrived early.",
        "I just want to say that {person} from your team was very helpful.",
        "Excellent service, I love my new {product}.",
        "Great job, order {order} was perfect.",
        "The {product} is the best I have ever had, thanks.",
    ],
}

TONES: dict[str, list[str]] = {
    "urgent": [
        "This is urgent.",
        "I need an answer today.",
        "Please act now, I am losing customers.",
        "If this is not fixed today I will call my lawyer.",
    ],
    "calm": ["Thanks in advance.", "No rush.", "Kind regards, {person}.", "Have a nice day."],
}

CLINIC: dict[str, list[str]] = {
    "migraine": [
        "Patient {person} reports a throbbing headache on one side with nausea for {days} days.",
        "{person} has a strong pulsating headache and cannot stand light.",
        "One sided headache, vomiting and light sensitivity in {person}.",
        "{person} complains of migraine attacks since {date}.",
    ],
    "asthma": [
        "{person} is short of breath and wheezing at night for {days} days.",
        "Wheezing on both lungs, {person} uses an inhaler.",
        "{person} reports a tight chest and cough after running.",
        "Shortness of breath with wheeze in {person} since {date}.",
    ],
    "diabetes": [
        "{person} is thirsty and passes urine often, blood sugar is high.",
        "High blood sugar was found in {person} on {date}.",
        "{person} takes insulin, the sugar level is not under control.",
        "Thirst and weight loss in {person}, glucose is raised.",
    ],
    "fracture": [
        "{person} fell on the left arm, the bone is broken.",
        "The image of {date} shows a broken wrist in {person}.",
        "After a fall {person} has a swollen arm with a crack in the bone.",
        "{person} cannot move the wrist after an accident on {date}.",
    ],
    "infection": [
        "{person} has fever, sore throat and swollen glands for {days} days.",
        "Fever and cough with yellow sputum in {person}.",
        "{person} reports pain when passing urine and fever.",
        "Red and warm skin with fever in {person} since {date}.",
    ],
}

STAFF = [
    "{person} joined {company} on {date} and works in the {place} office.",
    "{person} asks for {days} days of leave starting on {date}.",
    "The salary of {person} will be {amount} per month from {date}.",
    "{company} hires {person} as a manager for {years} years.",
    "{person} leaves {company} on {date}.",
    "{person} was promoted by {company} and now earns {amount}.",
]

MARKET = [
    "{company} reported revenue of {amount} on {date}, up {percent}.",
    "{company} will buy {other} for {amount}.",
    "Shares of {company} fell {percent} after the report of {date}.",
    "{other} raised {amount} from {company}.",
    "The profit of {company} grew by {percent} to {amount}.",
    "{company} opens a new plant in {place} for {amount}.",
]
