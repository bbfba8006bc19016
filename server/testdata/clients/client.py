"""The client that .ci/clients runs on what openapi-python-client makes of openapi.json."""
import io
import sys

from mekiki_client import Client
from mekiki_client.api.records import add_record, get_thumbnail, tag_record
from mekiki_client.api.search import search, search_full
from mekiki_client.models import AddRecordBody, RecordDetails, SearchFullFilesBody, SearchRequest
from mekiki_client.types import File

address, picture = sys.argv[1], sys.argv[2]
client = Client(base_url=address)
data = open(picture, "rb").read()


def image():
    return File(payload=io.BytesIO(data), file_name="picture", mime_type="application/octet-stream")


record = add_record.sync(client=client, body=AddRecordBody(image=image(), request=RecordDetails(tags=["generated"])))
found = search.sync(client=client, q="a picture")
alike = search_full.sync(client=client, body=SearchFullFilesBody(image=image(), request=SearchRequest(limit=3)))
assert alike.hits[0].id == record.id, alike
tagged = tag_record.sync(record.id, "red car", client=client)
assert "red car" in tagged.tags, tagged
thumbnail = get_thumbnail.sync(record.id, client=client)
assert thumbnail.payload.read(3) == b"\xff\xd8\xff"
print(f"Python: uploaded record {record.id}, {len(found.hits)} hits by words, tags {tagged.tags}")
