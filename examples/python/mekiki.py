"""A client of Mekiki's HTTP API with nothing but the standard library. Copy what you need.

    MEKIKI_TOKEN=… python3 mekiki.py http://127.0.0.1:8080 picture.jpg …
"""

import hashlib
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Problem(Exception):
    """An answer that says what went wrong (RFC 9457). Go by its code."""

    def __init__(self, status, details):
        super().__init__(details.get("detail") or details.get("title"))
        self.status, self.code, self.details = status, details.get("code"), details


class Mekiki:
    """One server. The token is sent where it is not empty; a server on loopback asks for none."""

    def __init__(self, address, token=""):
        self.address, self.token = address.rstrip("/"), token

    def call(self, method, path, body=None, kind="application/json", **headers):
        """Makes a request, again where the server says when, and gives the JSON of the answer and its headers."""
        data = json.dumps(body).encode() if body is not None and not isinstance(body, bytes) else body
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if data is not None:
            headers["Content-Type"] = kind
        for attempt in range(5):
            request = urllib.request.Request(self.address + "/api/v1" + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    text = answer.read()
                    return (json.loads(text) if text else None), answer.headers
            except urllib.error.HTTPError as error:
                with error:
                    after, text = error.headers.get("Retry-After"), error.read()
                if after and attempt < 4:
                    time.sleep(int(after))
                    continue
                raise Problem(error.code, json.loads(text)) from None

    def search(self, text, limit=10):
        answer, _ = self.call("GET", "/search?" + urllib.parse.urlencode({"q": text, "limit": limit}))
        return answer["hits"]

    def upload(self, paths, tags=()):
        """Sends the pictures that the server does not have, and gives one result for each of them."""
        hashes = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths}
        known, _ = self.call("POST", "/uploads/known", {"hashes": list(hashes)})
        wanted = [hashes[unknown] for unknown in known["unknown"]]
        if not wanted:
            return []
        boundary = uuid.uuid4().hex
        parts = [("request", None, json.dumps({"tags": list(tags)}).encode())]
        parts += [("image", path.name, path.read_bytes()) for path in wanted]
        form = b""
        for name, file, content in parts:
            shown = f'; filename="{urllib.parse.quote(file)}"' if file else ""
            form += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode() + content + b"\r\n"
        form += f"--{boundary}--\r\n".encode()
        answer, _ = self.call("POST", "/uploads", form, f"multipart/form-data; boundary={boundary}")
        return answer["results"]

    def records(self, **filters):
        """Goes through all records that pass the filters, page by page."""
        cursor = ""
        while True:
            query = urllib.parse.urlencode({**filters, "limit": 100, "cursor": cursor}, doseq=True)
            page, _ = self.call("GET", "/records?" + query)
            yield from page["records"]
            cursor = page.get("cursor")
            if not cursor:
                return

    def patch(self, record, changes):
        """Changes a record, unless somebody else does so at the same time; then it is read and changed again."""
        while True:
            _, headers = self.call("GET", f"/records/{record}")
            try:
                return self.call("PATCH", f"/records/{record}", changes, "application/merge-patch+json", If_Match=headers["ETag"])[0]
            except Problem as problem:
                if problem.code != "precondition_failed":
                    raise

    def tag(self, records, tags):
        """Tags many records, once, however often the request has to be sent. The answer has a token to undo it."""
        body = {"ids": list(records), "add_tags": list(tags)}
        return self.call("POST", "/edits", body, Idempotency_Key=str(uuid.uuid4()))[0]


def main(address, *paths):
    mekiki = Mekiki(address, os.environ.get("MEKIKI_TOKEN", ""))
    for result in mekiki.upload([pathlib.Path(path) for path in paths], ["example"]):
        print(result["name"], result["status"], result.get("problem", {}).get("detail", "added"))
    added = [record["id"] for record in mekiki.records(tag="example")]
    print(mekiki.tag(added, ["python"])["changed"], "tagged")
    print(mekiki.patch(added[0], {"title": "From Python", "rating": 4})["title"])
    for hit in mekiki.search("a picture"):
        print(hit["rank"], hit["id"], hit.get("caption", ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
