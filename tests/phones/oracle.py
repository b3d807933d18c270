"""Writes oracle.tsv: 2,000 phone cells as practices fill them in, and what Google's libphonenumber (its Python port,
`pip install phonenumbers==9.0.43`) reads in each. `tests/callrounds/engine/phones.rs` compares; no test runs this script.

A cell is read as it stands, and searched for numbers only if that brought nothing that can be dialled. A number can be
dialled if it is a valid one of the United States or Canada, and neither toll-free, premium-rate, a service nor a filler.
"""

import random
import re
import unicodedata
from pathlib import Path

import phonenumbers as pn

HERE = Path(__file__).parent
TABLE = HERE.parent.parent / "src" / "phone" / "area-codes.tsv"
CODES = [line.split("\t")[0] for line in TABLE.read_text().splitlines() if re.match(r"[2-9]\d\d\t", line)]
TOLL_FREE = {800, 822, 833, 844, 855, 866, 877, 888}


def dialable(number):
    national = str(number.national_number)
    if number.country_code != 1 or len(national) != 10:
        return False
    area, exchange, line = int(national[:3]), int(national[3:6]), int(national[6:])
    if area in TOLL_FREE or area == 900 or area % 100 == 11 or exchange % 100 == 11:
        return False
    if len(set(national)) == 1 or national in ("2345678901", "9876543210"):
        return False
    if exchange == 555 and line in (0, 1212, 5555):
        return False
    return pn.is_valid_number(number)


def read(cell):
    """E.164 and whether there is an extension, of the first number; None if nothing can be dialled."""
    digits = sum(unicodedata.category(c) == "Nd" for c in cell)
    try:
        number = pn.parse(cell, "US")
        if dialable(number) and digits >= 10:
            return pn.format_number(number, pn.PhoneNumberFormat.E164), bool(number.extension)
    except pn.NumberParseException:
        pass
    text = cell.lstrip("'").replace("_", "-")
    if re.fullmatch(r"[\d.eE+]+", text) and "." in text and not text.startswith("+"):
        try:
            value = float(text)
            if value.is_integer() and 1e9 <= value < 1e11:
                text = "%.0f" % value
        except ValueError:
            pass
    text = re.sub(r"^001", "+1", text)
    for match in pn.PhoneNumberMatcher(text, "US", leniency=pn.Leniency.POSSIBLE):
        if dialable(match.number):
            return pn.format_number(match.number, pn.PhoneNumberFormat.E164), bool(match.number.extension)
    return None


def cells():
    dice = random.Random(20261124)

    def parts():
        area = dice.choice(CODES) if dice.random() < 0.93 else dice.choice(["800", "888", "900", "411", "199", "000"])
        return area, "555", "01%02d" % dice.randrange(100)

    plain = [
        "{a}{b}{c}", "({a}) {b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "{a} {b} {c}", "+1{a}{b}{c}", "1-{a}-{b}-{c}",
        "+1 ({a}) {b}-{c}", "001{a}{b}{c}", "tel:+1-{a}-{b}-{c}", "'{a}{b}{c}", "{a}{b}{c}.0", "  {a}-{b}-{c} ",
        "{a}\u2013{b}\u2013{c}", "{a}\u00a0{b}\u00a0{c}", "{a}_{b}_{c}", "({a}){b}{c}", "{a}/{b}-{c}",
    ]
    noted = [
        "{n} (mom)", "H: {n}", "{n} cell", "cell {n}", "{n} call after 5pm", "mobile: {n}", "{n} - do not text", "{n}*",
        "home {n}", "{n} - wife's", "({n})", "{n};", "preferred {n}", "{n} W", "ph# {n}",
    ]
    extended = ["{n} x12", "{n} ext. 12", "{n} ext 7", "{n}x5", "{n} extension 104", "{n} #12"]
    broken = [
        "{b}-{c}", "{a}-{b}-{c}1", "{a}-{b}", "", "none", "n/a", "{a}", "000-000-0000", "555-555-5555", "1111111111",
        "+44 20 7946 0000", "unknown", "{a}{b}{c}{a}", "ask", "911", "?", "-", "{a}-555-1212", "no phone {b}",
    ]

    def number(style=None):
        a, b, c = parts()
        return (style or dice.choice(plain[:5])).format(a=a, b=b, c=c)

    while True:
        kind = dice.random()
        if kind < 0.40:
            yield number(dice.choice(plain))
        elif kind < 0.60:
            yield dice.choice(noted).format(n=number())
        elif kind < 0.72:
            yield number() + dice.choice([" / ", "/", ", ", " or ", "; ", " and ", " "]) + number()
        elif kind < 0.80:
            yield dice.choice(extended).format(n=number())
        elif kind < 0.84:
            yield number("{a}{b}{c}").translate({48 + d: 0xFF10 + d for d in range(10)})
        elif kind < 0.86:
            yield "%.9E" % int(number("{a}{b}{c}"))
        else:
            a, b, c = parts()
            yield dice.choice(broken).format(a=a, b=b, c=c)


def main():
    source = cells()
    with open(HERE / "oracle.tsv", "w", encoding="utf-8") as out:
        out.write("# phonenumbers %s: cell, number or `unusable`, `ext` where there is an extension\n" % pn.__version__)
        for _ in range(2000):
            cell = next(source)
            found = read(cell.strip())
            says = "unusable" if found is None else found[0] + (" ext" if found[1] else "")
            out.write("%s\t%s\n" % (cell, says))


main()
