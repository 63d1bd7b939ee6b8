"""A database as the migrations leave it, at a tenth of what a new clone costs: what was committed is deleted, by the
superuser and with the triggers off that keep the trail from it. Where more than rows was changed, or rows that the
migrations made, it says so, and there is to be a new clone.
"""

from dataclasses import dataclass

import psycopg

from nsed_web import state

Connection = psycopg.Connection[tuple[str, ...]]

MADE_BY_MIGRATIONS = ("auth_permission", "django_content_type", "django_migrations")
OTHERS_ARE_GONE = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s)"
SEQUENCES = """SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename NOT LIKE ALL (%s)"""
# Tables with who may do what, columns, triggers, functions, and the rows of the migrations.
SHAPE = """SELECT md5(concat_ws(E'\\n',
    (SELECT string_agg(concat_ws(' ', relname, relkind, relacl), ',' ORDER BY relname)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', relname, attname, atttypid, attnotnull, attacl), ',' ORDER BY relname, attname)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'),
    (SELECT string_agg(concat_ws(' ', tgrelid, tgname, tgenabled, tgfoid), ',' ORDER BY tgrelid, tgname)
        FROM pg_trigger),
    (SELECT string_agg(concat_ws(' ', proname, prosrc), ',' ORDER BY proname, prosrc)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(each::text, ',' ORDER BY id) FROM auth_permission each),
    (SELECT string_agg(each::text, ',' ORDER BY id) FROM django_content_type each),
    (SELECT string_agg(each::text, ',' ORDER BY id) FROM django_migrations each)))"""


@dataclass(frozen=True)
class Clone:
    """A database that was cloned just now."""

    database: str
    shape: str
    tables: tuple[str, ...]

    @classmethod
    def new(cls, database: str) -> "Clone":
        with _connected(database) as connection:
            found = connection.execute(TABLES, [list(MADE_BY_MIGRATIONS)]).fetchall()
            return cls(database, _shape(connection), tuple(name for (name,) in found))

    def is_emptied(self) -> bool:
        """Whether it is as new. Who is still connected is thrown out."""
        with _connected(self.database) as connection:
            connection.execute(OTHERS_ARE_GONE)
            if _shape(connection) != self.shape:
                return False
            connection.execute("SET session_replication_role = replica")
            for table in self._filled(connection):
                connection.execute(f'DELETE FROM "{table}"')
            connection.execute(SEQUENCES, [[f"{each}%" for each in MADE_BY_MIGRATIONS]])
        return True

    def _filled(self, connection: Connection) -> list[str]:
        has_rows = (f"SELECT '{each}' WHERE EXISTS (SELECT FROM \"{each}\")" for each in self.tables)
        return [name for (name,) in connection.execute(" UNION ALL ".join(has_rows)).fetchall()]


def _shape(connection: Connection) -> str:
    ((found,),) = connection.execute(SHAPE).fetchall()
    return found


def _connected(database: str) -> Connection:
    """In one transaction, as the only role that may do this."""
    return psycopg.connect(state.database_url("postgres", database=database))
