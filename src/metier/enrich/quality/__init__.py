"""Can weak résumés be told from strong ones, and by what? Labels, detectors, their measures, and the report."""
