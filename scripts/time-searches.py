"""Times searches, facets, lists and suggestions of a server, one after the other, each for the first time, in milliseconds: the
median and the longest.

    python scripts/time-searches.py PORT [QUESTIONS]

docs/measurements/size.md says how a library of a million drawn pictures is made for it. Development only: nothing else needs it.
"""

import http.client
import json
import sys
import time
import urllib.parse

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=120)
questions = int(sys.argv[2]) if len(sys.argv) > 2 else 40


def get(path, **query):
    """Asks, and gives the milliseconds that the answer took."""
    started = time.perf_counter()
    connection.request("GET", "/api/v1/" + path + "?" + urllib.parse.urlencode(query))
    response = connection.getresponse()
    body = response.read()
    took = 1000 * (time.perf_counter() - started)
    if response.status != 200:
        raise SystemExit(f"{path} {query}: {response.status} {json.loads(body).get('detail')}")
    return took


def search(text, **query):
    return get("search", q=text, rerank_ms=0, **query)


def day(i):
    return time.strftime("%Y-%m-%d", time.gmtime(1772600000 + 86400 * (i * 3 % 400)))


def subject(i):
    return ["a dog", "a cat", "two houses by the river", "a mountain under snow", "a bicycle and a candle", "people in a street"][i % 6]


def second_page(i):
    search(f"{subject(i)} {i}", limit=20)
    return search(f"{subject(i)} {i}", limit=20, offset=20)


cases = {
    "text": lambda i: search(f"{subject(i)} number {i * 77}"),
    "text, in a folder": lambda i: search(f"{subject(i)} {i}", folder=f"/photos/{i:03d}"),
    "text, of 40 days": lambda i: search(f"{subject(i)} {i}", after=day(i), before=day(i + 13)),
    "text, of a camera since a day": lambda i: search(f"{subject(i)} {i}", camera="canon", after=day(i)),
    "text without a word": lambda i: search(f"{subject(i)} {i} -river"),
    "text with a phrase": lambda i: search(f'"beside number {i}" dog'),
    "a misspelt word": lambda i: search(f"bycicle {i}"),
    "filters alone": lambda i: get("search", q=f"folder:/photos/{i:03d} after:{day(i)}"),
    "the second page of a text": second_page,
    "facets of a text": lambda i: get("facets", q=f"{subject(i)} {i * 3}"),
    "facets of a camera since a day": lambda i: get("facets", after=day(i), camera="nikon"),
    "records of a camera since a day": lambda i: get("records", limit=50, after=day(i), camera="nikon", sort="date_descending"),
    "suggestions": lambda i: get("suggestions", q="bicycle and a candle"[: 2 + i % 15]),
    "the layout of all": lambda i: get("layout", kind="image", sort="date_descending") if i < 5 else None,
}
for name, case in cases.items():
    times = sorted(took for took in map(case, range(questions)) if took is not None)
    print(f"| {name} | {times[len(times) // 2]:.1f}, {times[-1]:.1f} |", flush=True)
