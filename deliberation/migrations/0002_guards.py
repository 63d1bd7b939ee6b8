"""What the database itself refuses: changes of past events, by anybody, and ballots over their credits."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION deliberation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;

CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE ON deliberation_event
    FOR EACH ROW EXECUTE FUNCTION deliberation_refuse_change();
CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON deliberation_event
    FOR EACH STATEMENT EXECUTE FUNCTION deliberation_refuse_change();

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'nsed_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON deliberation_event FROM nsed_app;
        GRANT SELECT, INSERT ON deliberation_event TO nsed_app;
    END IF;
END $$;

CREATE FUNCTION deliberation_check_credits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    largest double precision;
    spent double precision;
BEGIN
    SELECT coalesce(max(abs(value::text::double precision)), 0), coalesce(sum(abs(value::text::double precision)), 0)
        INTO largest, spent FROM jsonb_each(NEW.weights) WHERE jsonb_typeof(value) = 'number';
    IF largest > 100 THEN
        RAISE EXCEPTION 'a weight lies beyond 100 credits' USING ERRCODE = 'check_violation';
    END IF;
    IF spent > 100 AND EXISTS (
        SELECT FROM deliberation_participant WHERE id = NEW.participant_id AND kind = 'human'
    ) THEN
        RAISE EXCEPTION 'a person has 100 credits a ballot' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ballots_keep_to_their_credits BEFORE INSERT OR UPDATE OF weights ON deliberation_ballot
    FOR EACH ROW EXECUTE FUNCTION deliberation_check_credits();
"""

BACKWARD = """
DROP TRIGGER ballots_keep_to_their_credits ON deliberation_ballot;
DROP FUNCTION deliberation_check_credits();
DROP TRIGGER events_are_append_only ON deliberation_event;
DROP TRIGGER events_are_not_truncated ON deliberation_event;
DROP FUNCTION deliberation_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("deliberation", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
