-- The jobs that a job started.
CREATE INDEX job_started_by_job ON job (started_by) WHERE started_by > 'job:' AND started_by < 'job;';
