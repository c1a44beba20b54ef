-- The events of one span of time, and a sample of the span before, which is stored a second time. Every value is a function of the
-- seed and the number of the playback, the listener or the track. The distributions are those of load/src/simulate, but a heartbeat
-- comes every 20 s, so that a playback has some 10 events.
INSERT INTO {database}.events
(
    event_id, source, type, schemaversion, playback_id, user_id, track_id, occurred_at, ingest_time, store_time, seq, state,
    from_ms, to_ms, played_ms, position_ms, paused_ms, stalled_ms, startup_ms, track_duration_ms, end_reason, failure_code,
    fatal, device, platform, app_version, country, plan, context, data, partition, offset
)
WITH
    20000 AS heartbeat,
    (number, what) -> cityHash64({seed:UInt64}, number, what) AS chance,
    hash -> (toFloat64(hash) + 0.5) / 18446744073709551616. AS share,
    -- The Box-Muller transform.
    hash -> sqrt(-2 * log(share(hash))) * cos(2 * pi() * share(cityHash64(hash))) AS normal,
    (hash, median, sigma, lowest, highest) -> toInt64(least(greatest(median * exp(sigma * normal(hash)), lowest), highest)) AS log_normal,
    (hash, values, weights) -> values[arrayFirstIndex(below -> hash % 100 < below, arrayCumSum(weights))] AS drawn,
    (value, name) -> if(value < 0, '', concat(',"', name, '":', toString(value))) AS field,
    playbacks AS
    (
        SELECT
            number AS playback,
            {start_ms:Int64} + toInt64(({gap_us:UInt64} * (number + share(chance(number, 'begins')))) / 1000) AS begins,
            -- Zipf's law with exponents 0.6 and 1, by its continuous inverse.
            toUInt64(least(toFloat64({users:UInt64}), pow((pow({users:UInt64} + 1, 0.4) - 1) * share(chance(number, 'user')) + 1, 2.5))) AS user,
            toUInt64(least(toFloat64({tracks:UInt64}), exp(log({tracks:UInt64} + 1) * share(chance(number, 'track'))))) AS track,
            log_normal(chance(track, 'duration'), 205000, 0.35, 45000, 480000) AS duration,
            drawn(chance(number, 'fate'), ['completes', 'skips', 'stops', 'silent', 'fails', 'recorded'], [48, 32, 9, 6, 2, 3]) AS fate,
            chance(number, 'variant') AS variant,
            toInt64(multiIf(
                fate = 'completes', duration,
                fate = 'skips' AND variant % 4 < 3, 500 + intDiv(variant, 4) % 29500,
                fate = 'skips', 30000 + intDiv(variant, 4) % (duration - 30000),
                1000 + variant % (duration - 1000))) AS listened,
            log_normal(chance(number, 'startup'), 350, 0.7, 40, 20000) AS startup,
            drawn(
                chance(user, 'device'),
                [('iPhone 15', 'ios'), ('iPad Air', 'ios'), ('Galaxy S24', 'android'), ('Pixel 8', 'android'), ('Chrome', 'web'),
                    ('Firefox', 'web'), ('MacBook Pro', 'desktop'), ('Echo Dot', 'speaker')],
                [22, 5, 20, 13, 18, 6, 9, 7]) AS user_device,
            drawn(chance(user, 'app'), ['8.4.1', '8.4.0', '8.3.2', '7.9.9'], [60, 22, 13, 5]) AS user_app_version,
            drawn(
                chance(user, 'country'), ['US', 'DE', 'BR', 'GB', 'IN', 'FR', 'JP', 'PL', 'KZ', 'NZ'],
                [28, 14, 12, 10, 9, 8, 7, 5, 4, 3]) AS user_country,
            drawn(chance(user, 'plan'), ['free', 'premium', 'family', 'student'], [48, 36, 11, 5]) AS user_plan,
            drawn(
                chance(number, 'context'), ['playlist:morning', 'playlist:discover', 'album', 'radio', 'search', 'autoplay'],
                [22, 20, 19, 17, 12, 10]) AS started_from
        FROM numbers({first:UInt64}, {count:UInt64})
    ),
    -- What a listener meets at the end of a heartbeat: something every 110 s on average.
    timelines AS
    (
        SELECT
            *,
            range(toUInt64(intDiv(listened, heartbeat))) AS beats,
            arrayMap(beat -> cityHash64({seed:UInt64}, playback, beat), beats) AS chances,
            arrayMap(
                hash -> if(
                    hash % 110 >= 20, '',
                    drawn(intDiv(hash, 110), ['pause', 'seek', 'custom', 'stall', 'failure'], [42, 26, 16, 12, 4])),
                chances) AS incidents,
            arrayMap(
                (incident, hash) -> multiIf(
                    incident = 'pause', log_normal(cityHash64(hash), 8000, 1.2, 300, 90000),
                    incident = 'stall', log_normal(cityHash64(hash), 900, 0.9, 100, 15000),
                    0),
                incidents, chances) AS waits,
            arrayMap(
                (incident, hash) -> if(
                    incident != 'seek', 0,
                    (5000 + toInt64(cityHash64(hash) % 55000)) * if(cityHash64(hash, 1) % 10 < 6, 1, -1)),
                incidents, chances) AS jumps,
            arrayConcat([0], arrayCumSum(waits)) AS waited,
            arrayMap(
                (beat, jumped) -> least(greatest(toInt64(beat) * heartbeat + jumped, 0), duration - 5000),
                range(length(beats) + 1), arrayConcat([0], arrayCumSum(jumps))) AS positions,
            positions[-1] AS last,
            least(last + listened % heartbeat, duration) AS ended,
            listened + waited[-1] AS over
        FROM playbacks
    ),
    -- (type, ms after the first sound, from_ms, to_ms, position_ms, ms waited); -1 is absent.
    with_events AS
    (
        SELECT
            *,
            if(fate = 'recorded', [('PlaybackRecorded', listened, -1, -1, -1, -1)], arrayConcat(
                [('PlaybackStarted', 0, -1, -1, -1, -1)],
                arrayFlatten(arrayMap(
                    (incident, wait, at, from, to, next) -> arrayConcat(
                        [('PlaybackProgressed', at, from, to, -1, -1)],
                        multiIf(
                            incident = 'pause', [('PlaybackPaused', at, -1, -1, to, -1), ('PlaybackResumed', at + wait, -1, -1, to, wait)],
                            incident = 'seek', [('PlaybackSeeked', at, to, next, -1, -1)],
                            incident = 'custom', [(if(user_plan = 'free', 'AdShown', 'LyricsOpened'), at, -1, -1, -1, -1)],
                            incident = 'stall', [('PlaybackStalled', at + wait, -1, -1, to, wait)],
                            incident = 'failure', [('PlaybackFailed', at, -1, -1, to, -1)],
                            [])),
                    incidents, waits, arrayMap((beat, before) -> toInt64(beat + 1) * heartbeat + before, beats, arrayPopBack(waited)),
                    arrayPopBack(positions), arrayMap(from -> least(from + heartbeat, duration), arrayPopBack(positions)), arrayPopFront(positions))),
                multiIf(
                    fate = 'silent' AND variant % 2 = 0, [('PlaybackPaused', over, -1, -1, ended, -1)],
                    fate = 'silent', [],
                    fate = 'fails', [('PlaybackProgressed', over, last, ended, -1, -1), ('PlaybackFailed', over, -1, -1, ended, 0)],
                    [('PlaybackFinished', over, last, ended, ended, -1)]))) AS events
        FROM timelines
    ),
    numbered AS
    (
        SELECT
            * EXCEPT (events, beats, chances, incidents, waits, jumps, waited, positions),
            event.1 AS type,
            event.3 AS stretch_from,
            event.4 AS stretch_to,
            event.5 AS position,
            event.6 AS waited_ms,
            type IN ('AdShown', 'LyricsOpened') AS is_custom,
            index - 1 AS place,
            begins + if(fate = 'recorded', 0, startup) + event.2 AS occurred_at_ms,
            lower(hex(sipHash128({seed:UInt64}, playback, index))) AS event_id,
            if(fate = 'recorded', event_id, lower(hex(sipHash128({seed:UInt64}, playback)))) AS playback_id,
            cityHash64(event_id) AS event_chance,
            occurred_at_ms >= {from_ms:Int64} AS is_first
        FROM with_events
        ARRAY JOIN events AS event, arrayEnumerate(events) AS index
        WHERE occurred_at_ms < {to_ms:Int64}
            AND (is_first OR (occurred_at_ms >= {again_from_ms:Int64} AND event_chance % 20 = 0))
    )
SELECT
    event_id,
    'ess/command-api' AS source,
    type,
    1 AS schemaversion,
    playback_id,
    concat('user-', toString(user)) AS user_id,
    concat('track-', toString(track)) AS track_id,
    fromUnixTimestamp64Milli(occurred_at_ms, 'UTC') AS occurred_at,
    fromUnixTimestamp64Milli(occurred_at_ms + log_normal(event_chance, 60, 0.8, 5, 60000), 'UTC') AS ingest_time,
    ingest_time + toIntervalMillisecond(if(is_first, 20 + event_chance % 80, 300000)) AS store_time,
    if(is_custom OR type = 'PlaybackRecorded', NULL, toUInt32(place)) AS seq,
    multiIf(
        type IN ('PlaybackStarted', 'PlaybackProgressed', 'PlaybackResumed', 'PlaybackStalled'), 'playing',
        type = 'PlaybackPaused', 'paused',
        type IN ('PlaybackFinished', 'PlaybackRecorded'), 'finished',
        fatal, 'failed', '') AS state,
    if(stretch_from < 0, NULL, toUInt64(stretch_from)) AS from_ms,
    if(stretch_to < 0, NULL, toUInt64(stretch_to)) AS to_ms,
    toUInt64(multiIf(
        type IN ('PlaybackProgressed', 'PlaybackFinished'), greatest(stretch_to - stretch_from, 0),
        type = 'PlaybackRecorded' AND variant % 2 = 0, listened,
        0)) AS played_ms,
    if(position < 0, NULL, toUInt64(position)) AS position_ms,
    toUInt64(if(type = 'PlaybackResumed', waited_ms, 0)) AS paused_ms,
    toUInt64(if(type = 'PlaybackStalled', waited_ms, 0)) AS stalled_ms,
    if(type = 'PlaybackStarted', toUInt64(startup), NULL) AS startup_ms,
    if(type IN ('PlaybackStarted', 'PlaybackFinished') OR (type = 'PlaybackRecorded' AND variant % 2 = 0), toUInt64(duration), NULL) AS track_duration_ms,
    multiIf(type != 'PlaybackFinished', '', fate = 'completes', 'completed', fate = 'skips', 'skipped', 'stopped') AS end_reason,
    if(type != 'PlaybackFailed', '', drawn(event_chance, ['NETWORK_TIMEOUT', 'DECODE', 'LICENSE_EXPIRED'], [60, 30, 10])) AS failure_code,
    type = 'PlaybackFailed' AND waited_ms = 0 AS fatal,
    if(type = 'PlaybackStarted', user_device.1, '') AS device,
    if(type = 'PlaybackStarted', user_device.2, '') AS platform,
    if(type = 'PlaybackStarted', user_app_version, '') AS app_version,
    if(type = 'PlaybackStarted', user_country, '') AS country,
    if(type = 'PlaybackStarted', user_plan, '') AS plan,
    if(type = 'PlaybackStarted', started_from, '') AS context,
    concat(
        '{"user_id":"', user_id, '","track_id":"', track_id, '"', if(seq IS NULL, '', concat(',"seq":', toString(seq))),
        field(stretch_from, 'from_ms'), field(stretch_to, 'to_ms'), field(position, 'position_ms'),
        multiIf(
            type = 'PlaybackStarted', concat(
                ',"track_duration_ms":', toString(duration), ',"startup_ms":', toString(startup), ',"device":"', device, '","platform":"', platform,
                '","app_version":"', app_version, '","country":"', country, '","plan":"', plan, '","context":"', context, '"'),
            type = 'PlaybackFinished', concat(',"reason":"', end_reason, '","track_duration_ms":', toString(duration)),
            type = 'PlaybackFailed', concat(',"code":"', failure_code, '","fatal":', if(fatal, 'true', 'false')),
            type = 'PlaybackRecorded' AND variant % 2 = 0, concat(',"played_ms":', toString(listened), ',"track_duration_ms":', toString(duration)),
            type = 'PlaybackResumed', concat(',"paused_ms":', toString(waited_ms)),
            type = 'PlaybackStalled', concat(',"stalled_ms":', toString(waited_ms)),
            ''),
        '}') AS data,
    toUInt16({partition:UInt16} + cityHash64(playback_id) % 12) AS partition,
    {offset:UInt64} + rowNumberInAllBlocks() AS offset
FROM numbered
SETTINGS max_block_size = 8192
