-- A neutralised copy of a database must not be able to act at KSeF in the company's name: every secret goes, and no
-- connection can be used before somebody connects it anew. Environments stay as they are, so that the documents keep
-- saying where they were sent.
DELETE FROM ksef_connect;
DELETE FROM ksef_upload_signed;
DELETE FROM ksef_task;
UPDATE ksef_collective
   SET state = 'failed'
 WHERE state = 'waiting';
DELETE FROM ksef_login;
DELETE FROM ksef_credential;
UPDATE ksef_session
   SET secret_key = NULL,
       secret_iv = NULL,
       secret_uploads = NULL,
       due_at = NULL,
       state = CASE WHEN state IN ('opening', 'open', 'uploading', 'closing') THEN 'lost' ELSE state END;
UPDATE ksef_document
   SET upo_link = NULL
 WHERE upo_link IS NOT NULL;
UPDATE ksef_fetch
   SET secret_key = NULL,
       secret_iv = NULL,
       export_state = NULL,
       export_reference = NULL;
DELETE FROM ir_config_parameter WHERE key = 'l10n_pl_ksef.secret_key_id';
UPDATE ksef_connection
   SET state = 'neutralised',
       due_at = NULL,
       permissions = NULL,
       verified_at = NULL,
       status_message = NULL,
       error_code = NULL;
