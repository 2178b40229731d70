"""A server that answers as vLLM and llama.cpp do, from a table; it misbehaves on request.

Run as a process of its own: `python server.py` prints its port. What it says of a picture depends
on how bright it is, so that answers can be checked. `POST /behave {"kind": …, "fault": …}` changes
how it answers; a fault meets only dark pictures when `"dark": true`.
"""

import base64
import io
import json
import math
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

WORDS = ("excellent", "good", "fair", "poor", "bad")
PIECES = [" " + word for word in WORDS] + [" the", " nice", " photo", "ish", " Good", " is", "The"]
PIECES += [chr(code) for code in range(32, 127)]
KEY = "swordfish"
state = {"kind": "vllm", "fault": "", "dark": False, "left": 0}
seen: dict = {"requests": 0, "keys": [], "bodies": [], "now": [], "most": 0}


def weigh(pictures):
    """The table: log-probabilities by brightness (0 dark and bad … 4 bright and excellent)."""
    bright = sum(pictures) / len(pictures) / 255 * 4
    said = {f" {word}": -abs(4 - i - bright) - 1 for i, word in enumerate(WORDS)}
    return {**said, " the": -0.5, " nice": -3.0, " photo": -9.0, " Good": -1.1}


def tokenize(text):
    ids = []
    while text:
        piece = max((p for p in PIECES if text.startswith(p)), key=len)
        ids.append(PIECES.index(piece))
        text = text[len(piece) :]
    return ids


def brightness(url):
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    image = Image.open(io.BytesIO(data)).convert("L").resize((1, 1))
    return image.getpixel((0, 0))


def top(said, body):
    """The tokens a server of this kind returns, in its way of writing them."""
    kind, asked = state["kind"], body.get("logprob_token_ids")
    if state["fault"] == "missing":
        said = {piece: each for piece, each in said.items() if piece not in (" fair", " bad")}
        asked = None
    ranked = sorted(said, key=said.get, reverse=True)[: body["top_logprobs"]]
    if kind == "vllm" and asked:
        ranked = [ranked[0], *(PIECES[token] for token in asked)]
    rows = []
    for piece in ranked:
        row = {"token": piece, "logprob": said[piece], "bytes": list(piece.encode())}
        if kind in ("vllm", "old-vllm") and body.get("return_tokens_as_token_ids"):
            row["token"] = f"token_id:{PIECES.index(piece)}"
        elif kind == "sentencepiece":
            row["token"] = piece.strip()
        elif kind == "llama.cpp":
            row["id"] = PIECES.index(piece)
        rows.append(row)
    if kind == "sentencepiece":
        rows = [row for row in rows if row["token"] != "Good"]
    if state["fault"] == "placeholder":
        rows[2]["logprob"] = -9999.0
    return rows


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/v1/models":
            names = ["tiny", "other"] if state["kind"] == "two" else ["tiny"]
            if state["fault"] == "key" and not self._has_key():
                return self._send({"error": {"message": f"no, not {KEY}"}}, 401)
            return self._send({"object": "list", "data": [{"id": name} for name in names]})
        if self.path == "/props" and state["kind"] == "llama.cpp":
            return self._send({"total_slots": 4})
        if self.path == "/seen":
            return self._send(seen)
        return self._send({"detail": "Not Found"}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/behave":
            state.update(
                {"kind": "vllm", "fault": "", "dark": False, "left": 0, "pause": 0}, **body
            )
            seen.update(requests=0, keys=[], bodies=[], now=[], most=0)
            return self._send({})
        if self.path == "/v1/chat/completions":
            return self._chat(body)
        if state["kind"] in ("plain", "sentencepiece"):
            return self._send({"detail": "Not Found"}, 404)
        if self.path == "/tokenize":
            text = body["content"] if state["kind"] == "llama.cpp" else body["prompt"]
            return self._send({"tokens": tokenize(text)})
        if self.path == "/detokenize":
            text = "".join(PIECES[token] for token in body["tokens"])
            return self._send({"content" if state["kind"] == "llama.cpp" else "prompt": text})
        return self._send({"detail": "Not Found"}, 404)

    def _has_key(self):
        return self.headers.get("Authorization") == f"Bearer {KEY}"

    def _chat(self, body):
        seen["requests"] += 1
        now = seen["now"]  # one that began before /behave is not counted after it
        now.append(1)
        seen["most"] = max(seen["most"], len(now))
        seen["keys"].append(self.headers.get("Authorization"))
        short = json.loads(re.sub(r"base64,[^\"]*", "base64,…", json.dumps(body)))
        seen["bodies"] = [*seen["bodies"][-20:], short]
        try:
            self._say(body)
        finally:
            now.pop()

    def _say(self, body):
        content = body["messages"][0]["content"]
        lights = [brightness(e["image_url"]["url"]) for e in content if e["type"] == "image_url"]
        if state["kind"] == "strict" and "logprob_token_ids" in body:
            return self._send({"error": {"message": "extra_forbidden: logprob_token_ids"}}, 400)
        if not (state["dark"] and sum(lights) / len(lights) > 60) and self._misbehaves():
            return None
        time.sleep(state.get("pause", 0))
        rows = top(weigh(lights), body)
        said = {"content": [{**rows[0], "top_logprobs": rows}]}
        if state["fault"] == "no logprobs":
            said = None
        message = {"role": "assistant", "content": " the"}
        return self._send({"choices": [{"index": 0, "message": message, "logprobs": said}]})

    def _misbehaves(self):
        """Do what the fault says; tell whether that was all."""
        fault = state["fault"]
        if fault.isdigit():
            if state["left"] == 0:
                return False
            state["left"] -= 1
            self._send({"error": {"message": f"busy, {KEY}"}}, int(fault), {"Retry-After": "0"})
        elif fault == "hang":
            time.sleep(5)
            self.close_connection = True
        elif fault == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [')
            self.close_connection = True
        elif fault == "garbage":
            self._send_bytes(b"<html>hello</html>", 200, {})
        elif fault == "die":
            self.server.shutdown_request(self.connection)
            import os

            os._exit(0)
        else:
            return False
        return True

    def _send(self, value, status=200, headers=None):
        return self._send_bytes(json.dumps(value).encode(), status, headers or {})

    def _send_bytes(self, data, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def expected(bright):
    """The probabilities that a picture of one brightness must get."""
    said = weigh([bright])
    masses = [math.exp(said[f" {word}"]) for word in WORDS]
    return [mass / sum(masses) for mass in masses]


if __name__ == "__main__":
    here = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.daemon_threads = True
    print(here.server_address[1], flush=True)
    sys.stdin.close()
    here.serve_forever()
