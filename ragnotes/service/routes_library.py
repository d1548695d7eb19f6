"""What is in the library: documents, status, and bringing the index up to date."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ragnotes.service.bodies import SyncBody
from ragnotes.service.encoding import document_json, listed_json, progress_json, status_json, summary_json
from ragnotes.service.jobs import Job
from ragnotes.service.parts import ServiceDep
from ragnotes.service.problems import problem_of
from ragnotes.service.wire import DocumentJson, JobJson, ListedJson, StatusJson

__all__ = ["router"]

router = APIRouter(tags=["library"])


@router.get("/v1/documents")
def documents(service: ServiceDep) -> list[ListedJson]:
    """Every file with its outcome, and the document that it is in the index."""
    return [listed_json(record, source) for record, source in service.library.documents()]


@router.get("/v1/documents/{doc_id}")
def document(doc_id: str, service: ServiceDep) -> DocumentJson:
    """A document with its stored text, which all offsets count in."""
    return document_json(service.library.document(doc_id))


@router.get("/v1/status")
def status(service: ServiceDep) -> StatusJson:
    """Every file with its outcome, as disk and index stand now."""
    return status_json(service.library.status())


@router.post("/v1/index/sync", status_code=202)
def sync(service: ServiceDep, response: Response, body: SyncBody | None = None) -> JobJson:
    """Begin to bring the index up to date; where that is already under way, its job."""
    job = service.jobs.start(**(body or SyncBody()).model_dump())
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return _job_json(job)


@router.get("/v1/jobs/{job_id}")
def job(job_id: str, service: ServiceDep) -> JobJson:
    return _job_json(service.jobs.get(job_id))


def _job_json(job: Job) -> JobJson:
    return JobJson(
        id=job.id,
        state=job.state,
        progress=progress_json(job.progress) if job.progress else None,
        summary=summary_json(job.summary) if job.summary else None,
        error=problem_of(job.error) if job.error else None,
    )
