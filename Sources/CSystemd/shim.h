// libsystemd as Swift sees it: the service-manager protocol (sd_notify, sd_watchdog_enabled).
#pragma once
#include <systemd/sd-daemon.h>
