#!/bin/sh
exec node --max-old-space-size=128 /usr/share/dashboard-page/server.js
