// The SQL files, as they are, in the binary. This is the only list of them.
#include "CMigrations.h"

// Of C23; every Swift 6.3 toolchain has a clang that knows it, and that rebuilds when a file changes.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char sql_0001[] = {
#embed "../../migrations/0001_create_schema.sql"
};
static const unsigned char sql_0002[] = {
#embed "../../migrations/0002_create_job_tables.sql"
};
static const unsigned char sql_0003[] = {
#embed "../../migrations/0003_create_result_tables.sql"
};
static const unsigned char sql_0004[] = {
#embed "../../migrations/0004_check_functions.sql"
};
static const unsigned char sql_0005[] = {
#embed "../../migrations/0005_enqueue_functions.sql"
};
static const unsigned char sql_0006[] = {
#embed "../../migrations/0006_claim_functions.sql"
};
static const unsigned char sql_0007[] = {
#embed "../../migrations/0007_checkpoint_functions.sql"
};
static const unsigned char sql_0008[] = {
#embed "../../migrations/0008_finish_functions.sql"
};
static const unsigned char sql_0009[] = {
#embed "../../migrations/0009_liveness_functions.sql"
};
static const unsigned char sql_0010[] = {
#embed "../../migrations/0010_admin_functions.sql"
};
static const unsigned char sql_0011[] = {
#embed "../../migrations/0011_media_functions.sql"
};
static const unsigned char sql_0012[] = {
#embed "../../migrations/0012_create_views.sql"
};
static const unsigned char sql_0013[] = {
#embed "../../migrations/0013_accept_video_and_training.sql"
};
static const unsigned char sql_0014[] = {
#embed "../../migrations/0014_enqueue_training.sql"
};
static const unsigned char sql_0015[] = {
#embed "../../migrations/0015_training_functions.sql"
};
static const unsigned char sql_0016[] = {
#embed "../../migrations/0016_accept_training_rates.sql"
};
static const unsigned char sql_0017[] = {
#embed "../../migrations/0017_enqueue_for_submitter.sql"
};
static const unsigned char sql_0018[] = {
#embed "../../migrations/0018_create_schedule_tables.sql"
};
static const unsigned char sql_0019[] = {
#embed "../../migrations/0019_cron_functions.sql"
};
static const unsigned char sql_0020[] = {
#embed "../../migrations/0020_schedule_functions.sql"
};
static const unsigned char sql_0021[] = {
#embed "../../migrations/0021_run_schedule_functions.sql"
};
static const unsigned char sql_0022[] = {
#embed "../../migrations/0022_doctor_functions.sql"
};
static const unsigned char sql_0023[] = {
#embed "../../migrations/0023_add_held_states.sql"
};
static const unsigned char sql_0024[] = {
#embed "../../migrations/0024_requeue_held_shards.sql"
};
static const unsigned char sql_0025[] = {
#embed "../../migrations/0025_hold_functions.sql"
};
static const unsigned char sql_0026[] = {
#embed "../../migrations/0026_deadline_functions.sql"
};
static const unsigned char sql_0027[] = {
#embed "../../migrations/0027_queue_settings.sql"
};
static const unsigned char sql_0028[] = {
#embed "../../migrations/0028_fair_shares.sql"
};
static const unsigned char sql_0029[] = {
#embed "../../migrations/0029_fair_claim_functions.sql"
};
static const unsigned char sql_0030[] = {
#embed "../../migrations/0030_track_use.sql"
};
static const unsigned char sql_0031[] = {
#embed "../../migrations/0031_prune_functions.sql"
};
static const unsigned char sql_0032[] = {
#embed "../../migrations/0032_accept_video_files.sql"
};
static const unsigned char sql_0033[] = {
#embed "../../migrations/0033_download_media.sql"
};
static const unsigned char sql_0034[] = {
#embed "../../migrations/0034_accept_pair_scores.sql"
};
static const unsigned char sql_0035[] = {
#embed "../../migrations/0035_show_criteria.sql"
};
static const unsigned char sql_0036[] = {
#embed "../../migrations/0036_evaluate.sql"
};
static const unsigned char sql_0037[] = {
#embed "../../migrations/0037_rescue_without_waiting.sql"
};
static const unsigned char sql_0038[] = {
#embed "../../migrations/0038_cheaper_calls.sql"
};
static const unsigned char sql_0039[] = {
#embed "../../migrations/0039_report_engines.sql"
};
static const unsigned char sql_0040[] = {
#embed "../../migrations/0040_sampling_options.sql"
};
static const unsigned char sql_0041[] = {
#embed "../../migrations/0041_sample_candidates.sql"
};
static const unsigned char sql_0042[] = {
#embed "../../migrations/0042_fewer_steps.sql"
};
static const unsigned char sql_0043[] = {
#embed "../../migrations/0043_claim_priority.sql"
};
static const unsigned char sql_0044[] = {
#embed "../../migrations/0044_record_changes.sql"
};
static const unsigned char sql_0045[] = {
#embed "../../migrations/0045_more_frames.sql"
};
static const unsigned char sql_0046[] = {
#embed "../../migrations/0046_past_open_transactions.sql"
};

static const struct rewardd_migration rewardd_migrations[] = {
    {"0001_create_schema.sql", sql_0001, sizeof sql_0001},
    {"0002_create_job_tables.sql", sql_0002, sizeof sql_0002},
    {"0003_create_result_tables.sql", sql_0003, sizeof sql_0003},
    {"0004_check_functions.sql", sql_0004, sizeof sql_0004},
    {"0005_enqueue_functions.sql", sql_0005, sizeof sql_0005},
    {"0006_claim_functions.sql", sql_0006, sizeof sql_0006},
    {"0007_checkpoint_functions.sql", sql_0007, sizeof sql_0007},
    {"0008_finish_functions.sql", sql_0008, sizeof sql_0008},
    {"0009_liveness_functions.sql", sql_0009, sizeof sql_0009},
    {"0010_admin_functions.sql", sql_0010, sizeof sql_0010},
    {"0011_media_functions.sql", sql_0011, sizeof sql_0011},
    {"0012_create_views.sql", sql_0012, sizeof sql_0012},
    {"0013_accept_video_and_training.sql", sql_0013, sizeof sql_0013},
    {"0014_enqueue_training.sql", sql_0014, sizeof sql_0014},
    {"0015_training_functions.sql", sql_0015, sizeof sql_0015},
    {"0016_accept_training_rates.sql", sql_0016, sizeof sql_0016},
    {"0017_enqueue_for_submitter.sql", sql_0017, sizeof sql_0017},
    {"0018_create_schedule_tables.sql", sql_0018, sizeof sql_0018},
    {"0019_cron_functions.sql", sql_0019, sizeof sql_0019},
    {"0020_schedule_functions.sql", sql_0020, sizeof sql_0020},
    {"0021_run_schedule_functions.sql", sql_0021, sizeof sql_0021},
    {"0022_doctor_functions.sql", sql_0022, sizeof sql_0022},
    {"0023_add_held_states.sql", sql_0023, sizeof sql_0023},
    {"0024_requeue_held_shards.sql", sql_0024, sizeof sql_0024},
    {"0025_hold_functions.sql", sql_0025, sizeof sql_0025},
    {"0026_deadline_functions.sql", sql_0026, sizeof sql_0026},
    {"0027_queue_settings.sql", sql_0027, sizeof sql_0027},
    {"0028_fair_shares.sql", sql_0028, sizeof sql_0028},
    {"0029_fair_claim_functions.sql", sql_0029, sizeof sql_0029},
    {"0030_track_use.sql", sql_0030, sizeof sql_0030},
    {"0031_prune_functions.sql", sql_0031, sizeof sql_0031},
    {"0032_accept_video_files.sql", sql_0032, sizeof sql_0032},
    {"0033_download_media.sql", sql_0033, sizeof sql_0033},
    {"0034_accept_pair_scores.sql", sql_0034, sizeof sql_0034},
    {"0035_show_criteria.sql", sql_0035, sizeof sql_0035},
    {"0036_evaluate.sql", sql_0036, sizeof sql_0036},
    {"0037_rescue_without_waiting.sql", sql_0037, sizeof sql_0037},
    {"0038_cheaper_calls.sql", sql_0038, sizeof sql_0038},
    {"0039_report_engines.sql", sql_0039, sizeof sql_0039},
    {"0040_sampling_options.sql", sql_0040, sizeof sql_0040},
    {"0041_sample_candidates.sql", sql_0041, sizeof sql_0041},
    {"0042_fewer_steps.sql", sql_0042, sizeof sql_0042},
    {"0043_claim_priority.sql", sql_0043, sizeof sql_0043},
    {"0044_record_changes.sql", sql_0044, sizeof sql_0044},
    {"0045_more_frames.sql", sql_0045, sizeof sql_0045},
    {"0046_past_open_transactions.sql", sql_0046, sizeof sql_0046},
};

size_t rewardd_migration_count(void) { return sizeof rewardd_migrations / sizeof *rewardd_migrations; }

struct rewardd_migration rewardd_migration(size_t place) { return rewardd_migrations[place]; }
