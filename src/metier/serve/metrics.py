"""Prometheus metrics: what is counted, by route template, never by person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "metier_requests_total", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "metier_request_seconds", "Time to the first byte.", ["route"], buckets=SECONDS, registry=self.registry
        )
        served = Counter("metier_recommendations_total", "Answers served.", ["how"], registry=self.registry)
        self.served = {how: served.labels(how) for how in ("stored", "fresh")}
        self.parsing = Gauge("metier_resumes_reading", "Résumés being read.", registry=self.registry)
        self.audit = Gauge("metier_audit_waiting", "Rows of audit not yet written.", registry=self.registry)
        self.audit_dropped = Counter(
            "metier_audit_dropped_total", "Rows of audit that could never be written.", registry=self.registry
        )
        self._known: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; looking up children by label is the dear part, so they are kept."""
        key = (method, route, status)
        counter = self._known.get(key)
        if counter is None:
            counter = self._known[key] = self._requests.labels(method, route, str(status))
        timer = self._timed.get(route)
        if timer is None:
            timer = self._timed[route] = self._seconds.labels(route)
        counter.inc()
        timer.observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)
