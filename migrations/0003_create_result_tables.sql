-- What came of it: judgements, item results, preference pairs; and stored media.
--
-- All insert-only. item_result loses rows only when retry re-opens failed items.

CREATE TABLE rewardd.judgement (
    fingerprint bytea PRIMARY KEY CHECK (octet_length(fingerprint) = 32),
    job_id bigint NOT NULL,
    shard_id bigint NOT NULL,
    lease_token bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    score double precision,
    scale_minimum double precision,
    scale_maximum double precision,
    spread double precision,
    item_index int NOT NULL,
    prompt_tokens int NOT NULL DEFAULT 0,
    generated_tokens int NOT NULL DEFAULT 0,
    seconds real NOT NULL DEFAULT 0,
    kind text NOT NULL,
    task text NOT NULL,
    model text NOT NULL,
    model_digest bytea,
    template_id text NOT NULL,
    template_digest bytea,
    answer_mode text NOT NULL,
    presentation_order text,
    raw_response text,
    verdict text,
    probabilities jsonb
);
CREATE INDEX judgement_item ON rewardd.judgement (job_id, item_index);
COMMENT ON TABLE rewardd.judgement IS
    'One question to the reward model and its answer. The fingerprint covers everything the answer '
    'depends on, so an identical question asked later is answered from here.';
COMMENT ON COLUMN rewardd.judgement.fingerprint IS
    'SHA-256 of model, template, decoding parameters, media, preprocessing, order and texts.';
COMMENT ON COLUMN rewardd.judgement.job_id IS 'The job that asked first.';
COMMENT ON COLUMN rewardd.judgement.shard_id IS 'The shard that asked first.';
COMMENT ON COLUMN rewardd.judgement.lease_token IS 'The lease under which it was stored.';
COMMENT ON COLUMN rewardd.judgement.created_at IS 'When it was stored.';
COMMENT ON COLUMN rewardd.judgement.score IS 'Score on the scale below, for point_score.';
COMMENT ON COLUMN rewardd.judgement.scale_minimum IS 'Lowest score of the scale.';
COMMENT ON COLUMN rewardd.judgement.scale_maximum IS 'Highest score of the scale.';
COMMENT ON COLUMN rewardd.judgement.spread IS 'Standard deviation of the score''s distribution.';
COMMENT ON COLUMN rewardd.judgement.item_index IS 'The item that asked first.';
COMMENT ON COLUMN rewardd.judgement.prompt_tokens IS 'Tokens of the prompt, with those of images.';
COMMENT ON COLUMN rewardd.judgement.generated_tokens IS 'Tokens of the answer.';
COMMENT ON COLUMN rewardd.judgement.seconds IS 'Time the engine took.';
COMMENT ON COLUMN rewardd.judgement.kind IS 'point_score or pair_rank.';
COMMENT ON COLUMN rewardd.judgement.task IS 'As in job.';
COMMENT ON COLUMN rewardd.judgement.model IS 'Name of the model at that time.';
COMMENT ON COLUMN rewardd.judgement.model_digest IS 'SHA-256 over the files of the checkpoint.';
COMMENT ON COLUMN rewardd.judgement.template_id IS 'Name of the prompt template.';
COMMENT ON COLUMN rewardd.judgement.template_digest IS 'SHA-256 of the template''s text.';
COMMENT ON COLUMN rewardd.judgement.answer_mode IS 'choices or generate.';
COMMENT ON COLUMN rewardd.judgement.presentation_order IS
    'first_second or second_first, NULL for point_score.';
COMMENT ON COLUMN rewardd.judgement.raw_response IS 'What the model said, word for word.';
COMMENT ON COLUMN rewardd.judgement.verdict IS 'first, second, tie or unparsed.';
COMMENT ON COLUMN rewardd.judgement.probabilities IS 'Probability of each allowed answer.';

CREATE TABLE rewardd.item_result (
    job_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_token bigint,
    item_index int NOT NULL,
    state text NOT NULL CHECK (state IN ('completed', 'failed')),
    error_code text,
    error text,
    judgements bytea[] NOT NULL DEFAULT '{}',
    result jsonb,
    PRIMARY KEY (job_id, item_index)
);
CREATE INDEX item_result_failed ON rewardd.item_result (job_id, item_index) WHERE state = 'failed';
COMMENT ON TABLE rewardd.item_result IS
    'What an item came to: at most one row for each item, and once written never changed.';
COMMENT ON COLUMN rewardd.item_result.job_id IS 'Its job.';
COMMENT ON COLUMN rewardd.item_result.created_at IS 'When it was stored.';
COMMENT ON COLUMN rewardd.item_result.lease_token IS
    'The lease under which it was stored; NULL where the queue itself failed the item.';
COMMENT ON COLUMN rewardd.item_result.item_index IS 'Its item.';
COMMENT ON COLUMN rewardd.item_result.state IS 'completed or failed.';
COMMENT ON COLUMN rewardd.item_result.error_code IS
    'Why it failed, one word; the queue itself gives attempts_exhausted, shard_failed and '
    'daemon_crashed.';
COMMENT ON COLUMN rewardd.item_result.error IS 'Why it failed, one sentence.';
COMMENT ON COLUMN rewardd.item_result.judgements IS 'Fingerprints of the judgements it rests on.';
COMMENT ON COLUMN rewardd.item_result.result IS 'Score, verdict or pair, by kind.';

CREATE TABLE rewardd.preference_pair (
    pair_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    chosen_score double precision,
    rejected_score double precision,
    margin double precision,
    item_index int NOT NULL,
    chosen_index int NOT NULL,
    rejected_index int NOT NULL,
    chosen jsonb NOT NULL,
    rejected jsonb NOT NULL,
    evidence jsonb NOT NULL DEFAULT '{}',
    UNIQUE (job_id, item_index)
);
COMMENT ON TABLE rewardd.preference_pair IS
    'The pair that build_pairs found for one item: what trainers read.';
COMMENT ON COLUMN rewardd.preference_pair.pair_id IS 'Its number.';
COMMENT ON COLUMN rewardd.preference_pair.job_id IS 'Its job.';
COMMENT ON COLUMN rewardd.preference_pair.created_at IS 'When it was stored.';
COMMENT ON COLUMN rewardd.preference_pair.chosen_score IS 'Score of the chosen candidate.';
COMMENT ON COLUMN rewardd.preference_pair.rejected_score IS 'Score of the rejected candidate.';
COMMENT ON COLUMN rewardd.preference_pair.margin IS 'Difference of the scores.';
COMMENT ON COLUMN rewardd.preference_pair.item_index IS 'Its item.';
COMMENT ON COLUMN rewardd.preference_pair.chosen_index IS 'Place of the chosen candidate, from 0.';
COMMENT ON COLUMN rewardd.preference_pair.rejected_index IS 'Place of the rejected one, from 0.';
COMMENT ON COLUMN rewardd.preference_pair.chosen IS 'The chosen candidate, as in the item.';
COMMENT ON COLUMN rewardd.preference_pair.rejected IS 'The rejected candidate, as in the item.';
COMMENT ON COLUMN rewardd.preference_pair.evidence IS 'Comparisons and scores it rests on.';

CREATE TABLE rewardd.media (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    byte_count int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    submitted_by name NOT NULL DEFAULT session_user,
    bytes bytea NOT NULL
);
-- Pictures are compressed already: store them beside the table without a second attempt.
ALTER TABLE rewardd.media ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE rewardd.media IS 'Uploaded files, each stored once.';
COMMENT ON COLUMN rewardd.media.digest IS 'SHA-256 of the bytes.';
COMMENT ON COLUMN rewardd.media.byte_count IS 'Their number.';
COMMENT ON COLUMN rewardd.media.created_at IS 'When it was first uploaded.';
COMMENT ON COLUMN rewardd.media.submitted_by IS 'Who uploaded it first.';
COMMENT ON COLUMN rewardd.media.bytes IS 'The file.';

CREATE TABLE rewardd.media_upload (
    digest bytea NOT NULL,
    submitted_by name NOT NULL DEFAULT session_user,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (submitted_by, digest)
);
COMMENT ON TABLE rewardd.media_upload IS
    'Who uploaded which file. Knowing a digest gives no right to a file: each submitter uses only '
    'what it uploaded itself.';
COMMENT ON COLUMN rewardd.media_upload.digest IS 'The file.';
COMMENT ON COLUMN rewardd.media_upload.submitted_by IS 'The login role that uploaded it.';
COMMENT ON COLUMN rewardd.media_upload.created_at IS 'When it did so first.';
