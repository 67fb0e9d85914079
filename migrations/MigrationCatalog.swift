/// Every migration this build carries, in order.
///
/// The SQL is embedded by SwiftPM (`.embedInCode` in Package.swift), so `rewardctl migrate` and the
/// version check of the daemon always match the binary they are in.
package enum MigrationCatalog {
    /// All migrations, ascending from 1 without gaps.
    package static let all: [Migration] = [
        Migration(
            file: "0001_create_schema.sql",
            bytes: PackageResources._001_create_schema_sql
        ),
        Migration(
            file: "0002_create_job_tables.sql",
            bytes: PackageResources._002_create_job_tables_sql
        ),
        Migration(
            file: "0003_create_result_tables.sql",
            bytes: PackageResources._003_create_result_tables_sql
        ),
        Migration(
            file: "0004_check_functions.sql",
            bytes: PackageResources._004_check_functions_sql
        ),
        Migration(
            file: "0005_enqueue_functions.sql",
            bytes: PackageResources._005_enqueue_functions_sql
        ),
        Migration(
            file: "0006_claim_functions.sql",
            bytes: PackageResources._006_claim_functions_sql
        ),
        Migration(
            file: "0007_checkpoint_functions.sql",
            bytes: PackageResources._007_checkpoint_functions_sql
        ),
        Migration(
            file: "0008_finish_functions.sql",
            bytes: PackageResources._008_finish_functions_sql
        ),
        Migration(
            file: "0009_liveness_functions.sql",
            bytes: PackageResources._009_liveness_functions_sql
        ),
        Migration(
            file: "0010_admin_functions.sql",
            bytes: PackageResources._010_admin_functions_sql
        ),
        Migration(
            file: "0011_media_functions.sql",
            bytes: PackageResources._011_media_functions_sql
        ),
        Migration(
            file: "0012_create_views.sql",
            bytes: PackageResources._012_create_views_sql
        ),
        Migration(
            file: "0013_accept_video_and_training.sql",
            bytes: PackageResources._013_accept_video_and_training_sql
        ),
        Migration(
            file: "0014_enqueue_training.sql",
            bytes: PackageResources._014_enqueue_training_sql
        ),
        Migration(
            file: "0015_training_functions.sql",
            bytes: PackageResources._015_training_functions_sql
        ),
        Migration(
            file: "0016_accept_training_rates.sql",
            bytes: PackageResources._016_accept_training_rates_sql
        ),
        Migration(
            file: "0017_enqueue_for_submitter.sql",
            bytes: PackageResources._017_enqueue_for_submitter_sql
        ),
        Migration(
            file: "0018_create_schedule_tables.sql",
            bytes: PackageResources._018_create_schedule_tables_sql
        ),
        Migration(
            file: "0019_cron_functions.sql",
            bytes: PackageResources._019_cron_functions_sql
        ),
        Migration(
            file: "0020_schedule_functions.sql",
            bytes: PackageResources._020_schedule_functions_sql
        ),
        Migration(
            file: "0021_run_schedule_functions.sql",
            bytes: PackageResources._021_run_schedule_functions_sql
        ),
        Migration(
            file: "0022_doctor_functions.sql",
            bytes: PackageResources._022_doctor_functions_sql
        ),
        Migration(
            file: "0023_add_held_states.sql",
            bytes: PackageResources._023_add_held_states_sql
        ),
        Migration(
            file: "0024_requeue_held_shards.sql",
            bytes: PackageResources._024_requeue_held_shards_sql
        ),
        Migration(
            file: "0025_hold_functions.sql",
            bytes: PackageResources._025_hold_functions_sql
        ),
        Migration(
            file: "0026_deadline_functions.sql",
            bytes: PackageResources._026_deadline_functions_sql
        ),
        Migration(
            file: "0027_queue_settings.sql",
            bytes: PackageResources._027_queue_settings_sql
        ),
        Migration(
            file: "0028_fair_shares.sql",
            bytes: PackageResources._028_fair_shares_sql
        ),
        Migration(
            file: "0029_fair_claim_functions.sql",
            bytes: PackageResources._029_fair_claim_functions_sql
        ),
        Migration(
            file: "0030_track_use.sql",
            bytes: PackageResources._030_track_use_sql
        ),
        Migration(
            file: "0031_prune_functions.sql",
            bytes: PackageResources._031_prune_functions_sql
        ),
        Migration(
            file: "0032_accept_video_files.sql",
            bytes: PackageResources._032_accept_video_files_sql
        ),
        Migration(
            file: "0033_download_media.sql",
            bytes: PackageResources._033_download_media_sql
        ),
        Migration(
            file: "0034_accept_pair_scores.sql",
            bytes: PackageResources._034_accept_pair_scores_sql
        ),
        Migration(
            file: "0035_show_criteria.sql",
            bytes: PackageResources._035_show_criteria_sql
        ),
        Migration(
            file: "0036_evaluate.sql",
            bytes: PackageResources._036_evaluate_sql
        ),
        Migration(
            file: "0037_rescue_without_waiting.sql",
            bytes: PackageResources._037_rescue_without_waiting_sql
        ),
        Migration(
            file: "0038_report_engines.sql",
            bytes: PackageResources._038_report_engines_sql
        ),
    ]

    /// The newest version this build knows: what `rewardctl migrate` brings a database to.
    package static var latest: Int { all.count }

    /// The oldest database version the statements of this build work with.
    ///
    /// An older database is refused with the advice to migrate, one newer than ``latest`` with the
    /// advice to upgrade.
    package static let oldestUnderstood = 38
}
