"""An evidence pack as a download."""

import tempfile

from django.http import FileResponse

from evaluations.gates.packs.writing import pack_name, write_pack
from evaluations.models import Decision

IN_MEMORY_BYTES = 4 << 20


def pack_response(decision: Decision) -> FileResponse:
    """The pack, streamed; made in a temporary file once it is larger than a few megabytes."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115, the response closes it
    write_pack(decision, file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=pack_name(decision), content_type="application/zip")
