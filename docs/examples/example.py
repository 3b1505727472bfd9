"""BeeFormer.Streaming from Python, with the standard library alone: python3 example.py [http://127.0.0.1:8080] [API key]"""
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

SERVER = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
KEY = sys.argv[2] if len(sys.argv) > 2 else None


class Refused(Exception):
    """The server refused. Programs look at code and field, people at the text."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail", f"status {status}"))
        self.status, self.code, self.field = status, problem.get("code"), problem.get("field")


def call(method, path, body=None, attempts=5):
    """One call; repeated while the failure may pass, so use it for what does the same when it is done twice."""
    headers = {"content-type": "application/json"}
    if KEY:
        headers["authorization"] = f"Bearer {KEY}"
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(1, attempts + 1):
        try:
            with urllib.request.urlopen(urllib.request.Request(SERVER + path, data, headers, method=method), timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as failure:
            if failure.code not in (408, 429, 502, 503, 504) or attempt == attempts:
                try:
                    problem = json.load(failure)
                except ValueError:
                    problem = {}  # something between here and the server answered
                raise Refused(failure.code, problem) from None
            after = failure.headers.get("retry-after") or ""
            wait = int(after) if after.isdigit() else 0.2 * 2**attempt
        except OSError:  # refused, cut, too slow
            if attempt == attempts:
                raise
            wait = 0.2 * 2**attempt
        time.sleep(wait)


def item_path(item_id):
    return "/v1/items/" + urllib.parse.quote(item_id, safe="")


# The catalogue. A new item is in the answers as soon as its text is encoded.
call("PUT", item_path("example-stove"), {"title": "Gas stove, two burners", "description": "Runs on cartridges; folds flat.", "attributes": {"category": "example", "price": 49.9}})
call("POST", "/v1/items", [
    {"item_id": "example-tent", "title": "Tent for two", "attributes": {"category": "example"}},
    {"item_id": "example-pan", "title": "Camping pan, aluminium", "attributes": {"category": "example"}},
])
for _ in range(600):
    embedded = call("POST", "/v1/embeddings", {"item_ids": ["example-stove", "example-tent", "example-pan"]})["embeddings"]
    if all(one["vector"] for one in embedded):
        break
    time.sleep(0.1)

# Events. With an event_id each counts once, however often it is sent.
events = [
    {"event_id": str(uuid.uuid4()), "user_id": "example-ann", "item_id": "example-stove", "type": "purchase", "value": 1},
    {"event_id": str(uuid.uuid4()), "user_id": "example-ann", "item_id": "example-tent", "type": "view"},
]
for name in ("events", "again"):
    answer = call("POST", "/v1/events", events)
    print(f"{name}: accepted {answer['accepted']}, duplicate {answer['duplicate']}, refused {answer['refused']}")
    for verdict in answer["verdicts"]:
        if verdict["status"] == "refused":
            print(f"  event {verdict['index']}: {verdict['reason']}: {verdict['message']}")


def show(name, answer):
    print(f"{name}: {' '.join(item['item_id'] for item in answer['items'])} (model {answer['model_version']})")


show("search", call("POST", "/v1/search", {"text": "something to cook on outdoors", "k": 2, "filter": {"category": "example"}}))
show("similar", call("POST", item_path("example-stove") + "/similar", {"k": 2, "filter": {"must": [{"attribute": "category", "any_of": ["example"]}]}}))
show("recommended", call("POST", "/v1/recommendations", {"user_id": "example-ann", "k": 5, "explain": True}))

try:
    call("POST", "/v1/recommendations", {"user_id": "example-ann", "k": 0})
except Refused as refused:
    print(f"refused: {refused.status} {refused.code} {refused.field}: {refused}")

# Leave nothing behind.
call("DELETE", "/v1/users/" + urllib.parse.quote("example-ann", safe=""))
for item in ("example-stove", "example-tent", "example-pan"):
    call("DELETE", item_path(item))
