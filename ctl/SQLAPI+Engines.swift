import JSONReading
import Postgres

extension SQLAPI {
    /// Servers that daemons ask, by model and daemon.
    func engines(
        models: [String] = [],
        includingStopped: Bool = false
    ) throws(PostgresError) -> [JSONNode] {
        let models = models.isEmpty ? nil : models
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT model, state, daemon_id, host, url, served_model, in_flight, answered, failed,
                    error,
                    to_char(error_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS error_at,
                    to_char(reported_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                        AS reported_at,
                    extract(epoch FROM now() - e.reported_at)::float8 AS _age
                FROM rewardd.engine_status e
                WHERE (\(models)::text[] IS NULL OR model = ANY (\(models)::text[]))
                    AND (\(includingStopped)::boolean OR state <> 'stopped')
                ORDER BY model, daemon_id
            ) r
            """
        )
    }
}
