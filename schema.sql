-- The one truth about the database (PostgreSQL 15 or later).
--
-- Comments on a state column are its state machine: what may follow what. Constraints are the invariants,
-- whatever the code does: I1 no slot twice, I3 one live attempt for each patient and each number, I5 one outcome
-- for each answered call, I8 the audit chain only grows.
--
-- Sealed columns (bytea *_sealed) hold AES-256-GCM under the site's key (hospital/vault.py). Beside them stand keyed
-- tokens (HMAC) for exact look-up: a token tells nothing without the key.
-- Times are instants (timestamptz); the site's zone matters only when something is worded.

-- ── Staff and rights ────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE account (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username      text NOT NULL UNIQUE CHECK (username ~ '^[a-z][a-z0-9._-]{0,31}$'),
    display_name  text NOT NULL,
    role          text NOT NULL CHECK (role IN ('agent', 'nurse', 'doctor', 'supervisor', 'administrator', 'speaker',
                  'screen', 'none')),
    password_hash text NOT NULL,                     -- argon2id
    sip_username  text UNIQUE CHECK (sip_username ~ '^[a-z][a-z0-9_-]{0,31}$'),
    sip_secret_sealed bytea,
    on_call_number_sealed bytea,                     -- E.164, rung for red flags instead of the extension
    languages     text[] NOT NULL DEFAULT '{en}',
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sign_in_session (
    token_hash   bytea PRIMARY KEY,                  -- SHA-256 of the cookie: a copy of this table signs nobody in
    account_id   uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    csrf         text NOT NULL,
    created_at   timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);

CREATE TABLE duty (                                  -- who takes calls: a person's wish; Asterisk's queues follow it
    account_id uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    queues     text[] NOT NULL,
    away       text,                                 -- NULL: available; else the reason's code
    since      timestamptz NOT NULL
);

CREATE TABLE sign_in_failure (                       -- throttling: by account name and by client address
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username   text NOT NULL,
    client     text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX sign_in_failure_recent ON sign_in_failure (username, at);
CREATE INDEX sign_in_failure_client ON sign_in_failure (client, at);

-- Opaque ids only, so that erasing a patient does not break the chain.
CREATE TABLE audit (
    seq        bigint PRIMARY KEY,
    at         timestamptz NOT NULL,
    account_id uuid,                                 -- no foreign key: the chain outlives accounts
    action     text NOT NULL,                        -- 'record.read', 'recording.play', 'denied', …
    subject    text NOT NULL DEFAULT '',             -- 'patient:<uuid>', 'recording:<uuid>', a route
    detail     jsonb NOT NULL DEFAULT '{}',
    prev_hash  bytea NOT NULL,
    hash       bytea NOT NULL UNIQUE                 -- SHA-256(prev_hash ‖ canonical JSON of the row)
);
CREATE INDEX audit_subject ON audit (subject, at DESC);

CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit chain only grows';
END $$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();

-- ── Patients ────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE patient (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name_sealed      bytea NOT NULL,
    name_tokens      bytea[] NOT NULL DEFAULT '{}',  -- one for each normalised part of the name
    birth_sealed     bytea,
    birth_year       smallint CHECK (birth_year BETWEEN 1880 AND 2200),
    birth_token      bytea,                          -- keyed token of the whole date
    sex              text CHECK (sex IN ('female', 'male', 'other')),
    language         text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z]{2,4})?$'),
    address_sealed   bytea,
    address_wrong_since timestamptz,                 -- a letter came back; NULL again when another one is written down
    may_write        boolean NOT NULL DEFAULT true,  -- letters may be sent there; false where others open them
    zone             text,                           -- whose clock counts (IANA), as they told us; NULL: by the number
    note             text NOT NULL DEFAULT '',       -- for the whole staff; nothing clinical
    deceased_at      timestamptz,
    death_reported_at timestamptz,                   -- told on the phone: nobody is called until a clinician confirms
    merged_into      uuid REFERENCES patient CHECK (merged_into <> id),
    guardian_id      uuid REFERENCES patient CHECK (guardian_id <> id),
    guardian_relation text                           -- what the guardian is to the patient; NULL: not told
                     CHECK (guardian_relation IN ('mother', 'father', 'partner', 'child', 'relative', 'carer', 'legal')),
    guardian_until   timestamptz,                    -- from then on nobody speaks for the patient; NULL: no end is known
    opted_out        text[] NOT NULL DEFAULT '{}'    -- purposes for which we never begin a contact; each change is audited
                     CHECK (opted_out <@ ARRAY['follow_up', 'reminder', 'survey', 'education', 'greeting']),
    guardian_declined text[] NOT NULL DEFAULT '{}'   -- purposes for which the guardian wants no contacts about them
                     CHECK (guardian_declined <@ ARRAY['follow_up', 'reminder', 'survey', 'education', 'greeting']),
    suits            text CHECK (suits IN ('morning', 'afternoon')), -- for our calls, and which times are offered first
    reminded_by      text NOT NULL DEFAULT 'call' CHECK (reminded_by IN ('call', 'sms')),
    pin_hash         text,                           -- argon2id of a keyed token: an identifier that the patient chose
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX patient_name ON patient USING gin (name_tokens);
CREATE INDEX patient_birth ON patient (birth_token);
CREATE INDEX patient_guardian ON patient (guardian_id) WHERE guardian_id IS NOT NULL;

CREATE TABLE patient_identifier (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id   uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    kind         text NOT NULL,                      -- 'record', 'curp', 'cpf', 'nhi', 'cn_id', 'card', …
    rank         smallint NOT NULL DEFAULT 1,
    value_sealed bytea NOT NULL,
    token        bytea NOT NULL,
    UNIQUE (kind, token)
);

CREATE TABLE phone_number (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id        uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    rank              smallint NOT NULL,             -- dialled in this order
    number_sealed     bytea NOT NULL,                -- E.164
    token             bytea NOT NULL,
    owner             text NOT NULL DEFAULT 'self',  -- 'self', 'mother', 'carer', …
    language          text,                          -- who answers may speak another language than the patient
    safe_to_call      boolean NOT NULL DEFAULT true,
    may_leave_message boolean NOT NULL DEFAULT false,
    invalid_since     timestamptz,                   -- a human said "wrong number", or two attempts a day apart
    UNIQUE (patient_id, rank),
    UNIQUE (patient_id, token)
);
CREATE INDEX phone_number_token ON phone_number (token);

CREATE TABLE visit (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    department    text NOT NULL,
    doctor        text NOT NULL DEFAULT '',
    reason        text NOT NULL DEFAULT '',
    diagnosis     text NOT NULL DEFAULT '',
    source        text UNIQUE                        -- as care_event.source; NULL: told by no list
);
CREATE INDEX visit_patient ON visit (patient_id, at DESC);

CREATE TABLE stay (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    ward          text NOT NULL,
    admitted_at   timestamptz,                       -- NULL: only the discharge was told
    discharged_at timestamptz CHECK (discharged_at >= admitted_at),
    diagnosis     text NOT NULL DEFAULT '',
    source        text UNIQUE,                       -- as care_event.source; NULL: told by no list
    CHECK (admitted_at IS NOT NULL OR discharged_at IS NOT NULL)
);
CREATE INDEX stay_patient ON stay (patient_id, coalesce(admitted_at, discharged_at) DESC);

-- ── Booking ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE department (
    id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code  text NOT NULL UNIQUE,
    names jsonb NOT NULL,                            -- {"es": "Cardiología", "en": "Cardiology", …}
    position smallint NOT NULL DEFAULT 1,            -- its place in the spoken menu
    kind  text NOT NULL DEFAULT 'clinic' CHECK (kind IN ('clinic', 'examination')),
    needs_referral boolean NOT NULL DEFAULT false,   -- booked only by who has a doctor's order for it
    preparation text[] NOT NULL DEFAULT '{}'         -- codes of the site's sentences: 'fasting', 'drink_water', …
);

CREATE TABLE doctor (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    department_id uuid NOT NULL REFERENCES department,
    name          text NOT NULL,                     -- of an examination: a room or a device, named to no patient
    feminine      boolean NOT NULL DEFAULT false     -- el doctor, la doctora: said by the rules of each language
);

CREATE TABLE slot (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    doctor_id  uuid NOT NULL REFERENCES doctor,
    starts_at  timestamptz NOT NULL,
    minutes    smallint NOT NULL DEFAULT 20 CHECK (minutes BETWEEN 5 AND 480),
    -- open → withdrawn (clinic suspended) → open (it takes place again). Taken or free is not stored here: the appointment says it.
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'withdrawn')),
    capacity   smallint NOT NULL DEFAULT 1 CHECK (capacity BETWEEN 1 AND 500),   -- more than 1: a class, a lecture
    UNIQUE (doctor_id, starts_at),
    UNIQUE (id, capacity)
);
CREATE INDEX slot_start ON slot (starts_at) WHERE state = 'open';

-- A hold is a lease: who comes back after expires_at has lost it. One row a seat; an expired row is taken over.
CREATE TABLE hold (
    slot_id    uuid NOT NULL REFERENCES slot ON DELETE CASCADE,
    seat       smallint NOT NULL DEFAULT 1,
    holder     text NOT NULL,                        -- the call, session or desk that holds it
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (slot_id, seat)
);
CREATE INDEX hold_holder ON hold (holder);

CREATE TABLE waiting_room (                          -- a department's on one day: there once somebody has arrived
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    department_id uuid NOT NULL REFERENCES department,
    day           date NOT NULL,                     -- by the site's clock
    tickets       smallint NOT NULL CHECK (tickets > 0),  -- given so far: counted up, so that none is given twice
    UNIQUE (department_id, day)
);

CREATE TABLE appointment (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slot_id      uuid NOT NULL REFERENCES slot,
    seat         smallint NOT NULL DEFAULT 1,
    capacity     smallint NOT NULL DEFAULT 1,        -- the slot's: no seat beyond it, also when it is made smaller
    patient_id   uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    -- booked → arrived → seen;  booked → no_show;  arrived → no_show (was called and not there)
    -- seen → arrived, arrived → booked, no_show → arrived | booked (a slip of the desk, undone)
    -- booked → cancelled (frees the slot)
    -- booked → suspended (the clinic does not take place) → cancelled (moved to another time, or given up)
    -- suspended → booked (it takes place again, and its patient had not been told)
    -- The trigger appointment_moves_on refuses the rest.
    state        text NOT NULL DEFAULT 'booked'
                 CHECK (state IN ('booked', 'arrived', 'seen', 'no_show', 'suspended', 'cancelled')),
    booked_via   text NOT NULL CHECK (booked_via IN ('ivr', 'agent', 'nurse', 'desk', 'web', 'sms')),
    confirmation text NOT NULL UNIQUE,               -- the holder's key: a repeated confirmation does no harm
    booked_at    timestamptz NOT NULL,
    cancelled_at timestamptz CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
    arrived_at   timestamptz,
    room_id      uuid REFERENCES waiting_room,
    ticket       smallint CHECK (ticket > 0),        -- what the screen of the waiting room shows instead of a name
    called_at    timestamptz CHECK (called_at >= arrived_at),        -- to come in
    seen_at      timestamptz CHECK (seen_at >= coalesce(called_at, arrived_at)),
    CHECK ((arrived_at IS NULL) = (room_id IS NULL) AND (arrived_at IS NULL) = (ticket IS NULL)),
    CHECK ((state IN ('arrived', 'seen')) <= (arrived_at IS NOT NULL)),
    CHECK (arrived_at IS NULL OR state IN ('arrived', 'seen', 'no_show')),
    CHECK (called_at IS NULL OR arrived_at IS NOT NULL),
    CHECK ((state = 'seen') = (seen_at IS NOT NULL)),
    UNIQUE (room_id, ticket),
    -- I11: a move ends with exactly one. Who was moved away is cancelled and names an appointment of the same patient
    -- that exists (never none); who took its place is named by it (never two). Asked when the transaction ends.
    moved_to     uuid UNIQUE CHECK (moved_to IS NULL OR state = 'cancelled'),
    moves        uuid,
    CHECK (state = 'cancelled' OR seat BETWEEN 1 AND capacity),
    UNIQUE (id, patient_id),
    UNIQUE (id, moved_to),
    FOREIGN KEY (slot_id, capacity) REFERENCES slot (id, capacity) ON UPDATE CASCADE,
    FOREIGN KEY (moved_to, patient_id) REFERENCES appointment (id, patient_id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (moves, id) REFERENCES appointment (id, moved_to) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX one_booking_per_slot ON appointment (slot_id, seat) WHERE state <> 'cancelled';   -- I1
CREATE UNIQUE INDEX one_seat_per_patient ON appointment (slot_id, patient_id) WHERE state <> 'cancelled';
CREATE INDEX appointment_patient ON appointment (patient_id);

CREATE FUNCTION appointment_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'booked' THEN
            RAISE EXCEPTION 'an appointment begins as booked, not as %', NEW.state USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('booked', 'arrived'), ('booked', 'no_show'), ('booked', 'cancelled'), ('booked', 'suspended'),
            ('suspended', 'cancelled'), ('suspended', 'booked'), ('arrived', 'seen'), ('arrived', 'no_show'), ('arrived', 'booked'),
            ('seen', 'arrived'), ('no_show', 'arrived'), ('no_show', 'booked')) THEN
        RAISE EXCEPTION 'an appointment does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appointment_moves_on BEFORE INSERT OR UPDATE OF state ON appointment
    FOR EACH ROW EXECUTE FUNCTION appointment_moves_on();

-- ── Results ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- Whether a result is there, never what it is: what is not stored here cannot be told by a machine.
CREATE TABLE result_status (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    department_id uuid NOT NULL REFERENCES department,               -- the examination
    taken_at      timestamptz NOT NULL,
    -- pending → ready | doctor_calls;  doctor_calls → ready (a doctor has spoken with the patient)
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'doctor_calls')),
    settled_at    timestamptz CHECK (settled_at >= taken_at),
    CHECK ((state = 'pending') = (settled_at IS NULL)),
    UNIQUE (patient_id, department_id, taken_at)
);

-- ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE call (
    id            text PRIMARY KEY,                  -- Asterisk's Linkedid
    node          text NOT NULL,
    direction     text NOT NULL CHECK (direction IN ('in', 'out')),
    number_sealed bytea,                             -- NULL: withheld or unknown
    number_token  bytea,
    patient_id    uuid REFERENCES patient ON DELETE SET NULL,
    identified_by text[] NOT NULL DEFAULT '{}',      -- 'number', 'birth_date', 'name', …: two open the clinical part
    proxy_id      uuid REFERENCES patient ON DELETE SET NULL CHECK (proxy_id <> patient_id), -- the guardian who calls
    language      text,
    reason        text NOT NULL DEFAULT '',          -- why the caller called, in our codes: 'book', 'person', …
    queue         text,
    -- ivr → queued → talking → ended;  any → ended.  A call whose IVR died goes ivr → queued like any other.
    -- ended → queued: after the talk, or a callback that was noted, the caller asks for a person (again)
    state         text NOT NULL DEFAULT 'ivr' CHECK (state IN ('ivr', 'queued', 'talking', 'ended')),
    started_at    timestamptz NOT NULL,
    answered_at   timestamptz,                       -- by a person
    answered_by   uuid REFERENCES account,
    ended_at      timestamptz,
    outcome       text,                              -- 'done', 'answered', 'abandoned', 'callback', 'message', 'left'
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
);
CREATE INDEX call_patient ON call (patient_id, started_at DESC);
CREATE INDEX call_number ON call (number_token, started_at DESC);

CREATE TABLE call_step (                             -- the call's journal
    call_id text NOT NULL REFERENCES call ON DELETE CASCADE,
    seq     integer NOT NULL,
    at      timestamptz NOT NULL,
    kind    text NOT NULL,                           -- 'chose', 'identified', 'booked', 'queued', …
    facts   jsonb NOT NULL DEFAULT '{}',             -- codes and ids, nothing personal
    PRIMARY KEY (call_id, seq)
);

CREATE TABLE screen_pop (                            -- I9: one row for the agent who is ringing
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    call_id    text NOT NULL REFERENCES call ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES account,
    channel    text NOT NULL,                        -- the ringing leg
    -- ringing → answered → ended;  ringing → missed
    state      text NOT NULL DEFAULT 'ringing' CHECK (state IN ('ringing', 'answered', 'missed', 'ended')),
    patient_id uuid REFERENCES patient ON DELETE SET NULL,      -- chosen by the agent where several share a number
    ticked     text[] NOT NULL DEFAULT '{}',         -- identifiers the agent has checked; two open the clinical part
    note       text NOT NULL DEFAULT '',             -- this agent's, on the call
    rang_at    timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at   timestamptz
);
CREATE INDEX screen_pop_noted ON screen_pop (patient_id, rang_at DESC) WHERE note <> '';
CREATE UNIQUE INDEX one_pop_per_leg ON screen_pop (call_id, channel);
CREATE UNIQUE INDEX one_talk_per_agent ON screen_pop (account_id) WHERE state = 'answered';

CREATE TABLE number_lock (                           -- the calling number, not the patient, is locked for the machine
    number_token bytea PRIMARY KEY,
    failures     smallint NOT NULL DEFAULT 0,
    first_at     timestamptz NOT NULL,
    locked_until timestamptz
);

CREATE TABLE calling_rate (                          -- how often a number called: one row, whatever it does
    number_token  bytea PRIMARY KEY,                 -- of withheld numbers: one for all
    number_sealed bytea,                             -- kept of one that was turned away, for supervisors
    spent_until   timestamptz NOT NULL,              -- when its whole allowance is there again
    turned_away   integer NOT NULL DEFAULT 0,
    turned_away_since timestamptz,
    turned_away_at timestamptz CHECK (turned_away_at >= turned_away_since),
    CHECK ((turned_away = 0) = (turned_away_at IS NULL) AND (turned_away = 0) = (turned_away_since IS NULL))
);
CREATE INDEX calling_rate_turned_away ON calling_rate (turned_away_at) WHERE turned_away > 0;

CREATE TABLE caller_language (                       -- chosen on the telephone, for the next call from that number
    number_token bytea PRIMARY KEY,
    language     text NOT NULL CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z]{2,4})?$'),
    expires_at   timestamptz NOT NULL
);

CREATE TABLE callback (                              -- an abandoned, after-hours or unserved call: one owned item
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    origin        text NOT NULL UNIQUE,              -- the call it came from: collected once
    number_sealed bytea NOT NULL,
    number_token  bytea NOT NULL,
    patient_id    uuid REFERENCES patient ON DELETE SET NULL,
    language      text,
    why           text NOT NULL CHECK (why IN ('asked', 'abandoned', 'ivr_down', 'after_hours', 'new_patient',
                  'suspended', 'red_flag')),                   -- suspended: the automatic calls did not reach the patient
    birth_sealed  bytea CHECK ((birth_sealed IS NOT NULL) <= (why IN ('new_patient', 'red_flag'))),   -- all that reception is told
    -- open → owned → done;  owned → open (given back);  open → done (a later answered call closes it)
    -- owned → owned (taken over)
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'owned', 'done')),
    owner_id      uuid REFERENCES account,
    owned_at      timestamptz,                       -- since when this owner has it
    asked_at      timestamptz NOT NULL,
    done_at       timestamptz,
    outcome       text,
    CHECK ((state = 'owned') <= (owner_id IS NOT NULL AND owned_at IS NOT NULL)),
    CHECK ((state = 'done') = (done_at IS NOT NULL))
);
-- of those of whom no more is known than the number; the others are of one patient, or of somebody new
CREATE UNIQUE INDEX one_open_callback_per_number ON callback (number_token)
    WHERE state <> 'done' AND why IN ('asked', 'abandoned', 'ivr_down', 'after_hours');
CREATE INDEX callback_open ON callback (number_token) WHERE state <> 'done';

-- ── Follow-up ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE questionnaire (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code    text NOT NULL,
    version integer NOT NULL,
    sha256  text NOT NULL,
    body    jsonb NOT NULL,                          -- the file as data; an answer always knows its version
    loaded_at timestamptz NOT NULL,                  -- the one that was published last is the newest
    source    text NOT NULL DEFAULT '',              -- as somebody wrote it, with its comments; '' of one that came as data
    published_by uuid REFERENCES account,            -- NULL: it came with the hotline, or by the command
    why       text NOT NULL DEFAULT '',
    UNIQUE (code, version),
    UNIQUE (code, sha256)
);

CREATE TABLE questionnaire_draft (                   -- what is being written in the console, whatever is wrong in it yet
    code       text PRIMARY KEY,
    source     text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by uuid NOT NULL REFERENCES account
);

-- What the hospital told us of a patient. `source` is its own id there: told twice, it is one event, and one set of tasks.
CREATE TABLE care_event (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source     text NOT NULL UNIQUE,
    kind       text NOT NULL CHECK (kind IN ('discharge', 'surgery', 'visit', 'enrolment')),
    patient_id uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    ward       text NOT NULL DEFAULT '',
    diagnosis  text NOT NULL DEFAULT '',
    study      text NOT NULL DEFAULT '',
    told_at    timestamptz NOT NULL,
    told_by    uuid REFERENCES account,              -- NULL: by rule, from another system or a file
    UNIQUE (id, patient_id)
);
CREATE INDEX care_event_patient ON care_event (patient_id, at DESC);

CREATE TABLE enrolment (                             -- a patient follows a plan because of an event, once
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id    uuid NOT NULL,
    patient_id  uuid NOT NULL,
    plan        text NOT NULL,
    plan_sha256 text NOT NULL,                       -- as the plan's file was then
    ends_with   text[] NOT NULL                      -- which changes stop its open tasks beside death and withdrawal
                CHECK (ends_with <@ ARRAY['readmitted', 'transferred', 'child_lost']),
    enrolled_at timestamptz NOT NULL,
    enrolled_by uuid REFERENCES account,             -- NULL: by rule
    ended_at    timestamptz,
    ended_by    text CHECK (ended_by IN ('died', 'child_lost', 'readmitted', 'transferred', 'withdrawn',
                'taken_back', 'merged')),
    UNIQUE (event_id, plan),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    FOREIGN KEY (event_id, patient_id) REFERENCES care_event (id, patient_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX enrolment_patient ON enrolment (patient_id) WHERE ended_at IS NULL;

-- One reason to contact one patient. What kinds of them there are shares attempts, cap and decision log; what a kind is
-- about stands in a table of its own that names the task (suspension_notice, reminder), or in the questionnaire.
CREATE TABLE followup_task (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id       uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    kind             text NOT NULL DEFAULT 'follow_up' CHECK (kind IN ('follow_up', 'suspension', 'reminder')),
    questionnaire_id uuid REFERENCES questionnaire,
    reason           text NOT NULL,                  -- 'discharge_day_3', …
    stay_id          uuid REFERENCES stay,
    priority         smallint NOT NULL DEFAULT 5,
    enrolment_id     uuid REFERENCES enrolment ON DELETE CASCADE,
    step             text,                           -- of the enrolment's plan: 'day-3', 'check.4'; or what an answer asks for
                                                     -- after the last one: 'again.<task>.<rule>'
    ward             text NOT NULL DEFAULT '',       -- where the patient was
    channel          text NOT NULL DEFAULT 'nurse_call'
                     CHECK (channel IN ('nurse_call', 'automated_call', 'sms', 'letter', 'video_link')),
    fallback         text[] NOT NULL DEFAULT '{}'    -- channels that are tried next, in order
                     CHECK (fallback <@ ARRAY['nurse_call', 'automated_call', 'sms', 'letter', 'video_link']),
    channels         text[] NOT NULL DEFAULT '{}',   -- every channel that it has had, the first one first: of what was
                                                     -- due by it
    announce_hours   smallint CHECK (announce_hours BETWEEN 0 AND 48),   -- a text message so long before the first call;
                                                     -- 0: none. NULL: as the site has it
    due_at           timestamptz NOT NULL,
    due_until        timestamptz NOT NULL CHECK (due_until > due_at),
    -- open → calling → open (tried again at next_try_at) | wrap_up | done | stopped
    -- wrap_up → done | open | stopped | review (the nurse has gone)
    -- open | stopped → open | done | stopped (the nurse corrects her contact result)
    -- open → done (the patient answers all of it on their own; there is nothing left to tell)
    -- open → stopped (skipped, opted out, deceased, no channel is left);  open | calling | review → stopped (the plan
    -- changed, also while it rings)
    -- calling → review (fate of the call unknown, or answered and the nurse has gone) → open | stopped | wrap_up | done
    -- stopped, as nobody was reached → calling (the patient calls back, and a nurse takes it up) | done (they answer all
    -- of it to the machine) | open (what they answer asks for a nurse)
    -- stopped → open (an opt-out or the report of a death is taken back);  done → open (a reminder's text message reached
    -- nobody: it is called)
    state            text NOT NULL DEFAULT 'open'
                     CHECK (state IN ('open', 'calling', 'wrap_up', 'review', 'done', 'stopped')),
    owner_id         uuid REFERENCES account,
    given_at         timestamptz CHECK (given_at IS NULL OR owner_id IS NOT NULL),   -- to its owner, by a person: nobody
                                                     -- else is called for it
    held_since       timestamptz,                    -- the guardian wants no calls: nobody is called for it until a
                                                     -- nurse has seen to it
    tries            smallint NOT NULL DEFAULT 0,    -- attempts that rang
    max_tries        smallint NOT NULL DEFAULT 3,
    next_try_at      timestamptz,
    next_number_rank smallint,
    stop_reason      text,
    summary          text NOT NULL DEFAULT '',
    closed_at        timestamptz,
    CHECK ((kind = 'follow_up') = (questionnaire_id IS NOT NULL)),
    CHECK (kind = 'follow_up' OR channel IN ('automated_call', 'sms')),
    CHECK ((state IN ('done', 'stopped')) = (closed_at IS NOT NULL)),
    CHECK ((state = 'stopped') = (stop_reason IS NOT NULL)),
    CHECK ((enrolment_id IS NULL) = (step IS NULL))
);
CREATE FUNCTION followup_channels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.channel <> ALL (NEW.channels) THEN
        NEW.channels := NEW.channels || NEW.channel;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER followup_channels BEFORE INSERT OR UPDATE OF channel ON followup_task
    FOR EACH ROW EXECUTE FUNCTION followup_channels();
CREATE UNIQUE INDEX one_task_per_step ON followup_task (enrolment_id, step) WHERE enrolment_id IS NOT NULL;
CREATE INDEX followup_patient ON followup_task (patient_id);
CREATE INDEX followup_ward ON followup_task (ward);
CREATE INDEX followup_due ON followup_task (due_at) WHERE state IN ('open', 'review');
CREATE UNIQUE INDEX one_task_per_reason ON followup_task (stay_id, reason) WHERE stay_id IS NOT NULL;

-- A part of the calls to patients that is run as one: which contacts, in which mode, and its share of nurses and lines.
-- What is in no campaign is called as if there were none. Who started, paused or stopped it is in the audit chain.
CREATE TABLE campaign (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL CHECK (name <> ''),
    -- preview: the next is handed to a nurse, who starts it. progressive: one call for each nurse who is free.
    -- predictive: more lines than nurses who are free, for surveys only. agentless: the ivr speaks.
    mode          text NOT NULL CHECK (mode IN ('preview', 'progressive', 'predictive', 'agentless')),
    purpose       text NOT NULL DEFAULT '',          -- each of the five: only such contacts; '': any
    reason        text NOT NULL DEFAULT '',
    questionnaire text NOT NULL DEFAULT '',
    study         text NOT NULL DEFAULT '',
    ward          text NOT NULL DEFAULT '',
    priority      smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9),   -- 1 first, and 2 gets what 1 leaves
    weight        smallint NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100),   -- its share inside one priority
    caller_id     text CHECK (caller_id ~ '^\+?[0-9]{5,15}$'),                    -- NULL: the site's
    lines         smallint CHECK (lines BETWEEN 1 AND 500),                       -- its calls at once; NULL: no limit
    per_second    double precision CHECK (per_second > 0 AND per_second <= 50),   -- orders to dial; NULL: no limit
    wrap_up_s     smallint NOT NULL DEFAULT 30 CHECK (wrap_up_s BETWEEN 0 AND 1800),   -- progressive: to write a talk up
    ceiling       double precision NOT NULL DEFAULT 0.03 CHECK (ceiling > 0 AND ceiling <= 0.03),   -- abandoned of answered
    -- created → running ⇄ paused → stopped;  created | running → stopped. paused: what is in it is not called.
    state         text NOT NULL DEFAULT 'created' CHECK (state IN ('created', 'running', 'paused', 'stopped')),
    listed        boolean NOT NULL DEFAULT false,    -- only patients of its list; never false again
    created_at    timestamptz NOT NULL,
    created_by    uuid NOT NULL REFERENCES account,
    changed_at    timestamptz NOT NULL,
    changed_by    uuid NOT NULL REFERENCES account,
    CHECK (mode <> 'predictive' OR purpose = 'survey')
);

CREATE TABLE reach_alarm (                           -- a number of ours that fewer people answer
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    caller_id       text NOT NULL,
    raised_at       timestamptz NOT NULL,
    lately_rang     integer NOT NULL,                -- in the seven days before it was raised
    lately_reached  integer NOT NULL,
    before_rang     integer NOT NULL,                -- in the 28 days before those
    before_reached  integer NOT NULL,
    -- raised → acknowledged (somebody looks into it) → over;  raised → over (it has risen again)
    acknowledged_at timestamptz,
    acknowledged_by uuid REFERENCES account,
    over_at         timestamptz,
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX one_reach_alarm_per_number ON reach_alarm (caller_id) WHERE over_at IS NULL;

CREATE TABLE campaign_patient (                      -- for whom a campaign is, if not for everybody whom it fits
    campaign_id uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
    patient_id  uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    added_at    timestamptz NOT NULL,
    added_by    uuid NOT NULL REFERENCES account,
    PRIMARY KEY (campaign_id, patient_id)
);

CREATE TABLE stint (                                 -- a nurse takes one call after the other; her leg stays up
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id  uuid NOT NULL REFERENCES account,
    campaign_id uuid REFERENCES campaign,            -- NULL: of every progressive campaign, by their shares
    channel_id  text NOT NULL UNIQUE,                -- of her leg: chosen and committed before her phone rings
    -- ringing → up → over;  ringing → over.  What she does while it is up follows from her newest attempt.
    state       text NOT NULL DEFAULT 'ringing' CHECK (state IN ('ringing', 'up', 'over')),
    paused      boolean NOT NULL DEFAULT false,      -- no call follows the one that goes on
    ready       boolean NOT NULL DEFAULT false,      -- the last talk is written up before its time; each call ends it
    more_s      integer NOT NULL DEFAULT 0 CHECK (more_s BETWEEN 0 AND 7200),   -- she needs longer; each call ends it
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    CHECK ((state = 'over') = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_stint_per_nurse ON stint (account_id) WHERE state <> 'over';

CREATE TABLE attempt (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    task_id        uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    patient_id     uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    number_id      uuid NOT NULL REFERENCES phone_number ON DELETE CASCADE,
    number_token   bytea NOT NULL,
    account_id     uuid REFERENCES account,          -- the nurse; none: an automated call, which the ivr speaks
    campaign_id    uuid REFERENCES campaign,
    line           smallint CHECK (line > 0),        -- automated calls: which of the lines that there are for them
    campaign_line  smallint CHECK (campaign_line > 0),   -- which of its campaign's, where that has a limit
    trunk_line     smallint CHECK (trunk_line > 0),  -- which of the trunk's; a nurse's own call may be one more than those
    stint_id       uuid REFERENCES stint,            -- progressive: the nurse's leg is the stint's
    pooled         boolean NOT NULL DEFAULT false,   -- predictive: a nurse is found when somebody has answered
    channel_id     text NOT NULL UNIQUE,             -- I3: chosen and committed before anything is dialled
    nurse_channel_id text CHECK ((nurse_channel_id IS NULL) = (account_id IS NULL)),
    -- claimed → dialling → talking → ended;  claimed | dialling → ended;  claimed | dialling | talking → review → ended
    -- claimed: no order to dial the patient was given. review: it may have rung; never redialled blindly, and settled
    -- by a person or from Asterisk's own records.
    state          text NOT NULL DEFAULT 'claimed'
                   CHECK (state IN ('claimed', 'dialling', 'talking', 'ended', 'review')),
    line_result    text CHECK (line_result IN ('answered', 'busy', 'no_answer', 'rejected', 'invalid_number',
                   'unreachable', 'network_failure', 'not_allowed',       -- [trunk] allow has not the number
                   'machine', 'fax', 'cancelled')),
    contact_result text CHECK (contact_result IN ('completed', 'partial', 'refused', 'call_later', 'wrong_person',
                   'carer_answered', 'moved', 'deceased', 'language_not_served', 'hung_up', 'left_message',
                   'abandoned')),                    -- ours: answered, and the nurse was gone
    on_form        boolean NOT NULL DEFAULT false,   -- it was said on this task's form, not on another of the same call
    heard          text CHECK (heard IN ('machine', 'fax')),  -- what picked up: by its sound, or a nurse has heard it
    handed_at      timestamptz CHECK (handed_at IS NULL OR account_id IS NOT NULL),   -- who called is left without her
    rang           boolean NOT NULL DEFAULT false,
    cause          smallint,                         -- Q.850, for the log only
    sip_status     smallint,
    identified_by  text[] NOT NULL DEFAULT '{}',     -- ticked by the nurse before anything clinical
    call_at        timestamptz,                      -- 'call_later': when the patient asked to be called
    claimed_at     timestamptz NOT NULL,
    dial_until     timestamptz NOT NULL,             -- the patient's window closes; later nothing is dialled (I4)
    zone           text NOT NULL DEFAULT 'UTC',      -- on whose clock that was judged (IANA)
    returned       boolean NOT NULL DEFAULT false,   -- in a call of the patient's own, who calls back: no contact of ours
    video          boolean NOT NULL DEFAULT false,   -- in the site's video service: no line of ours, and told in writing
    caller_id      text,                             -- which number of ours they saw
    dialled_at     timestamptz CONSTRAINT dialled_while_the_window_is_open CHECK (dialled_at <= dial_until),   -- I4
    answered_at    timestamptz,
    ended_at       timestamptz,
    CHECK ((state IN ('ended')) = (line_result IS NOT NULL)),             -- I5
    CHECK (contact_result IS NULL OR line_result IN ('answered', 'machine') OR state IN ('talking', 'review')),
    CHECK (NOT video OR (dialled_at IS NULL AND account_id IS NOT NULL AND state IN ('talking', 'ended')))
);
CREATE UNIQUE INDEX one_live_attempt_per_patient ON attempt (patient_id)
    WHERE state IN ('claimed', 'dialling', 'talking');                                           -- I3
CREATE UNIQUE INDEX one_live_attempt_per_number ON attempt (number_token)
    WHERE state IN ('claimed', 'dialling', 'talking');                                           -- I3
CREATE UNIQUE INDEX one_live_attempt_per_nurse ON attempt (account_id)
    WHERE state IN ('claimed', 'dialling', 'talking') AND handed_at IS NULL;
CREATE UNIQUE INDEX one_live_attempt_per_line ON attempt (line)
    WHERE account_id IS NULL AND NOT pooled AND state IN ('claimed', 'dialling', 'talking');
CREATE UNIQUE INDEX one_live_attempt_per_campaign_line ON attempt (campaign_id, campaign_line)
    WHERE state IN ('claimed', 'dialling', 'talking');
CREATE UNIQUE INDEX one_live_attempt_per_trunk_line ON attempt (trunk_line)
    WHERE state IN ('claimed', 'dialling', 'talking');
CREATE UNIQUE INDEX one_attempt_per_nurse_leg ON attempt (nurse_channel_id) WHERE stint_id IS NULL;
CREATE INDEX attempt_nurse_leg ON attempt (nurse_channel_id) WHERE nurse_channel_id IS NOT NULL;   -- asked for every leg
CREATE INDEX attempt_stint ON attempt (stint_id, claimed_at) WHERE stint_id IS NOT NULL;
CREATE INDEX attempt_task ON attempt (task_id, claimed_at);
CREATE INDEX attempt_caller_id ON attempt (dialled_at) WHERE caller_id IS NOT NULL;
CREATE INDEX attempt_number_recent ON attempt (number_token, claimed_at);
CREATE INDEX attempt_campaign ON attempt (campaign_id, claimed_at) WHERE campaign_id IS NOT NULL;

CREATE TABLE joint_task (                            -- what else the same call is for: the child's form beside the mother's
    attempt_id uuid NOT NULL REFERENCES attempt ON DELETE CASCADE,
    task_id    uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    contact_result text CHECK (contact_result IN ('completed', 'partial', 'refused', 'call_later', 'wrong_person',
                   'carer_answered', 'moved', 'deceased', 'language_not_served', 'hung_up', 'left_message')),
                                                     -- of this form; the attempt's is its own task's. NULL: as that
    on_form    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (attempt_id, task_id)
);
CREATE INDEX joint_task_task ON joint_task (task_id);

CREATE TABLE return_call (                           -- the patient calls back: what a nurse is to speak with them about
    call_id text PRIMARY KEY REFERENCES call ON DELETE CASCADE,
    task_id uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE
);

CREATE TABLE answer (                                -- saved as given; the newest of an item counts, the older stay
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id          uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    questionnaire_id uuid NOT NULL REFERENCES questionnaire,
    attempt_id       uuid REFERENCES attempt ON DELETE SET NULL,
    account_id       uuid REFERENCES account,
    via              text NOT NULL DEFAULT 'telephone'   -- of the last two nobody knows for certain who gave them
                     CHECK (via IN ('telephone', 'text', 'web')),
    item             text NOT NULL,
    value_sealed     bytea NOT NULL,                 -- JSON
    at               timestamptz NOT NULL
);
CREATE INDEX answer_task ON answer (task_id, item, id DESC);

CREATE TABLE answer_rule (                           -- answers have met a rule of their questionnaire: done once
    task_id    uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    rule       text NOT NULL,
    at         timestamptz NOT NULL,
    nurse      boolean NOT NULL DEFAULT false,       -- a nurse takes over what the machine asked
    department text NOT NULL DEFAULT '',             -- where a visit is to be offered; '': none
    booked_at  timestamptz CHECK (booked_at IS NULL OR department <> ''),
    settled_at timestamptz,                          -- a nurse has spoken with the patient since
    PRIMARY KEY (task_id, rule)
);

CREATE TABLE decision (                              -- why was, or wasn't, this patient called: readable by a nurse
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    code    text NOT NULL,                           -- 'outside_window', 'cap_reached', 'try_again', …
    facts   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX decision_task ON decision (task_id, at);

-- ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE outbox (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    once        text NOT NULL UNIQUE,                -- what this message is about: the same thing is told once
    key         text NOT NULL,                       -- wording, rendered at sending
    locale      text NOT NULL,
    params      jsonb NOT NULL DEFAULT '{}',         -- hospital, instant, number to call, a count, a sealed link: nothing else
    patient_id  uuid REFERENCES patient ON DELETE CASCADE,
    number_sealed bytea NOT NULL,
    -- queued → sending → sent → delivered | failed;  sending → queued (later) | failed
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'failed')),
    tries       smallint NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    useful_until timestamptz NOT NULL,               -- what no gateway has taken by then is not sent any more
    sent_at     timestamptz,
    gateway_ref text,
    error       text
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_failed ON outbox (due_at) WHERE state = 'failed';

CREATE TABLE step_text (                             -- the text message of a plan's step: one for each task, ever
    task_id      uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,
    outbox_id    uuid NOT NULL UNIQUE REFERENCES outbox ON DELETE CASCADE,
    patient_id   uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    number_token bytea NOT NULL,                     -- a contact, which the cap counts as it counts a call
    texted_at    timestamptz NOT NULL,
    answer_by    timestamptz NOT NULL CHECK (answer_by > texted_at)  -- then the plan's next channel
);
CREATE INDEX step_text_patient ON step_text (patient_id, texted_at);
CREATE INDEX step_text_number ON step_text (number_token, texted_at);

CREATE TABLE reminder_text (                         -- a reminder by text message that is a contact of its own, not one
    task_id      uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,   -- with a call before it
    outbox_id    uuid NOT NULL UNIQUE REFERENCES outbox ON DELETE CASCADE,
    patient_id   uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    number_token bytea NOT NULL,                     -- a contact, which the cap counts as it counts a call
    texted_at    timestamptz NOT NULL
);
CREATE INDEX reminder_text_patient ON reminder_text (patient_id, texted_at);
CREATE INDEX reminder_text_number ON reminder_text (number_token, texted_at);

CREATE TABLE answer_link (                           -- in such a message: its holder may answer one task's questions
    task_id    uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),  -- SHA-256: a copy of this table opens none
    language   text NOT NULL,                        -- in which the page begins: the message's
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    opened_at  timestamptz CHECK (opened_at >= made_at),  -- somebody pressed "Begin": what only looks opens nothing
    -- NULL → finished | nurse (the answers ask for one) | red_flag.  Nothing follows: an ended link opens nothing
    ended      text CHECK (ended IN ('finished', 'nurse', 'red_flag')),
    ended_at   timestamptz CHECK (ended_at >= opened_at),
    CHECK ((ended IS NULL) = (ended_at IS NULL)),
    CHECK (ended IS NULL OR opened_at IS NOT NULL)
);

-- The letter of a plan's step: one for each task, ever. It is made of these facts and the record each time that somebody
-- prints it; no text and no file of it is kept.
CREATE TABLE step_letter (
    task_id       uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,
    patient_id    uuid NOT NULL REFERENCES patient ON DELETE CASCADE,  -- whom it is about: a contact that the cap counts
    person_id     uuid NOT NULL REFERENCES patient ON DELETE CASCADE,  -- to whom it goes: the patient or the guardian
    key           text NOT NULL,                     -- which letter, in the wording
    params        jsonb NOT NULL DEFAULT '{}',
    locale        text NOT NULL,
    -- waiting → posted → returned;  waiting → withdrawn (its patient is not to be written to any more)
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'posted', 'returned', 'withdrawn')),
    made_at       timestamptz NOT NULL,
    printed_at    timestamptz CHECK (printed_at >= made_at),
    printed_by    uuid REFERENCES account,
    address_token bytea,                             -- of the address that is on the paper
    posted_at     timestamptz CHECK (posted_at >= printed_at),
    posted_by     uuid REFERENCES account,
    answer_by     timestamptz CHECK (answer_by > posted_at),           -- then the plan's next channel
    returned_at   timestamptz CHECK (returned_at >= posted_at),
    returned_by   uuid REFERENCES account,
    CHECK ((printed_at IS NULL) = (printed_by IS NULL) AND (printed_at IS NULL) = (address_token IS NULL)),
    CHECK ((state IN ('posted', 'returned')) = (posted_at IS NOT NULL)),
    CHECK (posted_at IS NULL OR printed_at IS NOT NULL),
    CHECK ((posted_at IS NULL) = (posted_by IS NULL) AND (posted_at IS NULL) = (answer_by IS NULL)),
    CHECK ((state = 'returned') = (returned_at IS NOT NULL)),
    CHECK ((returned_at IS NULL) = (returned_by IS NULL))
);
CREATE INDEX step_letter_patient ON step_letter (patient_id, made_at);
CREATE INDEX step_letter_waiting ON step_letter (made_at) WHERE state = 'waiting';

-- The video call of a plan's step, in the site's own service: one for each task, ever. The patient is sent its link and
-- its time; whoever begins it has an attempt (`attempt.video`).
CREATE TABLE video_meeting (
    task_id      uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,
    outbox_id    uuid NOT NULL UNIQUE REFERENCES outbox ON DELETE CASCADE,
    patient_id   uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    number_token bytea NOT NULL,                     -- a contact, which the cap counts as it counts a call
    link_sealed  bytea NOT NULL,                     -- whoever has it can enter: its room's name is chance
    texted_at    timestamptz NOT NULL,
    starts_at    timestamptz NOT NULL CHECK (starts_at > texted_at),
    begin_by     timestamptz NOT NULL CHECK (begin_by > starts_at)   -- then the plan's next channel
);
CREATE INDEX video_meeting_patient ON video_meeting (patient_id, texted_at);
CREATE INDEX video_meeting_number ON video_meeting (number_token, texted_at);

-- ── Questions ───────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE question (                              -- from a follow-up to who has a role; its answer is told to the patient
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    task_id       uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    patient_id    uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    role          text NOT NULL CHECK (role IN ('doctor', 'nurse', 'midwife', 'pharmacist', 'psychologist',
                  'social_worker')),
    ward          text NOT NULL,                     -- '': any ward
    -- open → answered → closed (told to the patient, or not needed any more);  open → withdrawn (by who asked)
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'closed', 'withdrawn')),
    asked_by      uuid NOT NULL REFERENCES account,
    asked_at      timestamptz NOT NULL,
    asked_sealed  bytea NOT NULL,
    answer_by     timestamptz NOT NULL CHECK (answer_by > asked_at),
    climbed_at    timestamptz CHECK (climbed_at >= answer_by),     -- it was late, and the supervisors see it
    answered_by   uuid REFERENCES account,
    answered_at   timestamptz CHECK (answered_at >= asked_at),
    answer_sealed bytea,
    closed_by     uuid REFERENCES account,
    closed_at     timestamptz CHECK (closed_at >= coalesce(answered_at, asked_at)),
    outcome       text CHECK (outcome IN ('told', 'told_carer', 'not_needed')),
    CHECK ((state IN ('answered', 'closed')) = (answer_sealed IS NOT NULL)),
    CHECK ((answer_sealed IS NULL) = (answered_by IS NULL) AND (answer_sealed IS NULL) = (answered_at IS NULL)),
    CHECK ((state IN ('closed', 'withdrawn')) = (closed_by IS NOT NULL)),
    CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    CHECK ((state = 'closed') = (outcome IS NOT NULL))
);
CREATE INDEX question_open ON question (answer_by) WHERE state = 'open';
CREATE INDEX question_to_tell ON question (answered_at) WHERE state = 'answered';
CREATE INDEX question_task ON question (task_id);

-- ── Suspended clinics ───────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE suspension (                            -- a doctor's (or a room's) clinic does not take place
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    doctor_id uuid NOT NULL REFERENCES doctor,
    patient_id uuid REFERENCES patient,              -- only for this patient, who is transferred; NULL: for everybody
    since     timestamptz NOT NULL,                  -- of the slots: from here on
    until     timestamptz NOT NULL CHECK (until > since),       -- and before this
    reason    text NOT NULL CHECK (reason IN ('illness', 'emergency', 'leave', 'equipment', 'other', 'transferred')),
    begun_by  uuid NOT NULL REFERENCES account,
    begun_at  timestamptz NOT NULL,
    lifted_by uuid REFERENCES account,               -- it takes place again
    lifted_at timestamptz,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL)),
    CHECK ((reason = 'transferred') = (patient_id IS NOT NULL))
);

-- Whom a suspension concerns, and what they know of it. Whether they have another time, the appointment says.
CREATE TABLE suspension_notice (
    appointment_id uuid PRIMARY KEY REFERENCES appointment ON DELETE CASCADE,
    suspension_id  uuid NOT NULL REFERENCES suspension,
    task_id        uuid NOT NULL UNIQUE REFERENCES followup_task ON DELETE CASCADE,   -- the urgent contact
    -- pending → told → acknowledged | wants_person;  pending | told → not_reached | wants_person
    -- not_reached | wants_person → told (the patient phones in)
    state          text NOT NULL DEFAULT 'pending'
                   CHECK (state IN ('pending', 'told', 'acknowledged', 'wants_person', 'not_reached')),
    told_at        timestamptz,
    acknowledged_at timestamptz,
    CHECK (state NOT IN ('told', 'acknowledged') OR told_at IS NOT NULL),
    CHECK ((state = 'acknowledged') = (acknowledged_at IS NOT NULL))
);
CREATE INDEX suspension_notices ON suspension_notice (suspension_id);

-- A time that is made later does not take place either.
CREATE INDEX suspended_clinics ON suspension (doctor_id, until) WHERE lifted_at IS NULL;
CREATE FUNCTION slot_of_a_suspended_clinic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM suspension WHERE doctor_id = NEW.doctor_id AND patient_id IS NULL AND lifted_at IS NULL
                                        AND since <= NEW.starts_at AND until > NEW.starts_at) THEN
        NEW.state := 'withdrawn';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER slot_of_a_suspended_clinic BEFORE INSERT ON slot
    FOR EACH ROW EXECUTE FUNCTION slot_of_a_suspended_clinic();

-- How each task stands, for the figures. `standing` parts all tasks, each in one: completed; refused; excused (nobody was
-- to be contacted any more); lost (to follow-up: not reached, or too late); open. A try counts where a phone rang or was
-- answered; reached is whoever may speak for the patient, and consented who answered questions;
-- who has begun on the page of a link is reached by it, and who has answered a text message by that.
CREATE VIEW followup_coverage AS
SELECT t.id AS task_id,
       t.due_at,
       t.due_until,
       coalesce(nullif(t.ward, ''), s.ward, '') AS ward,
       p.language,
       coalesce(e.plan, '') AS plan,
       a.attempted OR w.attempted OR l.attempted AS attempted,
       a.reached OR k.opened OR k.answered OR t.state = 'done' AS reached,
       a.consented OR k.answered OR t.state = 'done' AS consented,
       CASE WHEN t.state = 'done' THEN 'completed'
            WHEN t.state <> 'stopped' THEN 'open'
            WHEN t.stop_reason IN ('refused', 'opted_out', 'guardian_opted_out', 'withdrawn') THEN 'refused'
            WHEN t.stop_reason IN ('died', 'deceased', 'reported_deceased', 'child_lost', 'readmitted', 'in_hospital',
                                   'transferred', 'not_needed', 'done_elsewhere', 'taken_back',
                                   'merged') THEN 'excused'
            ELSE 'lost' END AS standing
  FROM followup_task t
  JOIN patient p ON p.id = t.patient_id
  LEFT JOIN stay s ON s.id = t.stay_id
  LEFT JOIN enrolment e ON e.id = t.enrolment_id
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE x.rang OR x.line_result IN ('answered', 'machine', 'fax')) > 0 AS attempted,
              count(*) FILTER (WHERE r.contact_result IN ('completed', 'partial', 'refused', 'call_later',
                               'carer_answered', 'language_not_served', 'moved')) > 0 AS reached,
              count(*) FILTER (WHERE r.contact_result IN ('completed', 'partial')) > 0 AS consented
         FROM attempt x
        CROSS JOIN LATERAL (
              SELECT coalesce((SELECT q.contact_result FROM joint_task q WHERE q.attempt_id = x.id AND q.task_id = t.id),
                              x.contact_result) AS contact_result) r
        WHERE x.task_id = t.id OR x.id IN (SELECT attempt_id FROM joint_task j WHERE j.task_id = t.id)) a
 CROSS JOIN LATERAL (
       SELECT count(*) > 0 AS attempted
         FROM outbox o
        WHERE o.state IN ('sent', 'delivered')
          AND (o.id = (SELECT y.outbox_id FROM step_text y WHERE y.task_id = t.id)
               OR o.id = (SELECT v.outbox_id FROM video_meeting v WHERE v.task_id = t.id))) w
 CROSS JOIN LATERAL (
       SELECT count(*) > 0 AS attempted FROM step_letter z WHERE z.task_id = t.id AND z.state = 'posted') l
 CROSS JOIN LATERAL (
       SELECT count(*) > 0 AS opened,
              EXISTS (SELECT 1 FROM answer n WHERE n.task_id = t.id AND n.via IN ('text', 'web')) AS answered
         FROM answer_link i WHERE i.task_id = t.id AND i.opened_at IS NOT NULL) k
 WHERE t.kind = 'follow_up';

-- The same by channel: a task is in each channel that it has had, with what was done there. Its end is in one of them, the
-- text message's where the answers came by text or on its page; in the others it went 'elsewhere'; excused it is in
-- all. What came by a way that was no channel of its own, as the call of a patient who had our letter, belongs to the
-- channel that it has.
CREATE VIEW followup_by_channel AS
SELECT c.task_id,
       c.due_at,
       c.due_until,
       h.channel,
       a.attempted OR w.attempted AS attempted,
       a.reached OR k.opened OR k.answered OR (c.standing = 'completed' AND h.channel = f.channel) AS reached,
       a.consented OR k.answered OR (c.standing = 'completed' AND h.channel = f.channel) AS consented,
       CASE WHEN c.standing = 'excused' OR h.channel = f.channel THEN c.standing ELSE 'elsewhere' END AS standing
  FROM followup_coverage c
  JOIN followup_task t ON t.id = c.task_id
 CROSS JOIN LATERAL unnest(t.channels) AS h(channel)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN 'sms' = ANY (t.channels) THEN 'sms' ELSE t.channel END AS written) r
 CROSS JOIN LATERAL (
       SELECT CASE WHEN t.state = 'done' AND (SELECT n.via FROM answer n WHERE n.task_id = t.id ORDER BY n.id DESC LIMIT 1)
                                             IN ('text', 'web') THEN r.written
                   ELSE t.channel END AS channel) f
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE x.rang OR x.line_result IN ('answered', 'machine', 'fax')) > 0 AS attempted,
              count(*) FILTER (WHERE r.contact_result IN ('completed', 'partial', 'refused', 'call_later',
                               'carer_answered', 'language_not_served', 'moved')) > 0 AS reached,
              count(*) FILTER (WHERE r.contact_result IN ('completed', 'partial')) > 0 AS consented
         FROM attempt x
        CROSS JOIN LATERAL (
              SELECT coalesce((SELECT q.contact_result FROM joint_task q WHERE q.attempt_id = x.id AND q.task_id = t.id),
                              x.contact_result) AS contact_result) r
        CROSS JOIN LATERAL (
              SELECT CASE WHEN x.video THEN 'video_link'
                          WHEN x.account_id IS NOT NULL OR x.pooled THEN 'nurse_call'
                          ELSE 'automated_call' END AS channel) b
        WHERE (x.task_id = t.id OR x.id IN (SELECT attempt_id FROM joint_task j WHERE j.task_id = t.id))
          AND h.channel = CASE WHEN b.channel = ANY (t.channels) THEN b.channel ELSE t.channel END) a
 CROSS JOIN LATERAL (
       SELECT CASE h.channel
                   WHEN 'sms' THEN EXISTS (SELECT 1 FROM step_text y JOIN outbox o ON o.id = y.outbox_id
                                            WHERE y.task_id = t.id AND o.state IN ('sent', 'delivered'))
                   WHEN 'video_link' THEN EXISTS (SELECT 1 FROM video_meeting v JOIN outbox o ON o.id = v.outbox_id
                                                   WHERE v.task_id = t.id AND o.state IN ('sent', 'delivered'))
                   WHEN 'letter' THEN EXISTS (SELECT 1 FROM step_letter z WHERE z.task_id = t.id AND z.state = 'posted')
                   ELSE false END AS attempted) w
 CROSS JOIN LATERAL (
       SELECT h.channel = r.written
              AND EXISTS (SELECT 1 FROM answer_link i WHERE i.task_id = t.id AND i.opened_at IS NOT NULL) AS opened,
              h.channel = r.written
              AND EXISTS (SELECT 1 FROM answer n WHERE n.task_id = t.id AND n.via IN ('text', 'web')) AS answered) k;

-- ── Reminders ───────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE recurring_reminder (                    -- of what the patient does again and again; it has an end
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    patient_id    uuid NOT NULL REFERENCES patient ON DELETE CASCADE,
    about         text NOT NULL CHECK (about IN ('medication', 'checkup', 'revisit')),
    department_id uuid REFERENCES department,        -- where it is booked in the call; none: a nurse
    every_days    smallint NOT NULL CHECK (every_days BETWEEN 1 AND 366),
    next_at       timestamptz NOT NULL,
    until         timestamptz NOT NULL,
    begun_by      uuid NOT NULL REFERENCES account,
    begun_at      timestamptz NOT NULL,
    stopped_at    timestamptz
);
CREATE INDEX recurring_reminder_due ON recurring_reminder (next_at) WHERE stopped_at IS NULL;

CREATE TABLE reminder (                              -- what one contact reminds of
    task_id        uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,
    appointment_id uuid UNIQUE REFERENCES appointment ON DELETE CASCADE,     -- reminded of once
    recurring_id   uuid REFERENCES recurring_reminder ON DELETE CASCADE,
    missed_id      uuid UNIQUE REFERENCES appointment ON DELETE CASCADE,     -- other times are offered for it, once
    heard_at       timestamptz,                      -- no call is needed any more
    comes          boolean NOT NULL DEFAULT false,   -- said so
    text_from      timestamptz,                      -- its calls are over: a text message is to follow, from then on
    CHECK (num_nonnulls(appointment_id, recurring_id, missed_id) = 1)
);

-- ── Recordings ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE recording (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    call_id      text NOT NULL,
    kind         text NOT NULL DEFAULT 'call' CHECK (kind IN ('call', 'message')),  -- message: what a caller left
    attempt_id   uuid REFERENCES attempt ON DELETE SET NULL,
    patient_id   uuid REFERENCES patient ON DELETE SET NULL,
    account_id   uuid REFERENCES account,            -- whose call it is
    -- open (being written to the spool) → sealed;  open → lost (no usable file);  none: coded reason instead
    state        text NOT NULL CHECK (state IN ('open', 'sealed', 'lost', 'none')),
    reason       text,                               -- 'refused', 'spool_full', 'not_started', 'automatic', …
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    seconds      double precision,
    path         text UNIQUE,                        -- relative to the recordings folder
    sha256       text,                               -- of the sealed file
    wrapped_key  bytea,                              -- its own key, wrapped by the site's
    CHECK ((state = 'sealed') <= (path IS NOT NULL AND wrapped_key IS NOT NULL AND seconds IS NOT NULL)),
    CHECK ((state IN ('none', 'lost')) = (reason IS NOT NULL))
);
CREATE UNIQUE INDEX one_recording_per_attempt ON recording (attempt_id) WHERE attempt_id IS NOT NULL;  -- I5
CREATE INDEX recording_patient ON recording (patient_id, started_at DESC);

-- ── Cases, ratings, opening ─────────────────────────────────────────────────────────────────────────────────────

-- What somebody told us and a person has to see through to its end.
CREATE TABLE care_case (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number          integer GENERATED ALWAYS AS IDENTITY (START WITH 10001) UNIQUE,  -- what its caller is told
    kind            text NOT NULL CHECK (kind IN ('complaint', 'thanks', 'message', 'rating', 'red_flag')),
    origin          text NOT NULL UNIQUE,            -- what it came of, so that it is opened once
    call_id         text REFERENCES call ON DELETE SET NULL,
    patient_id      uuid REFERENCES patient ON DELETE SET NULL,
    caller_sealed   bytea,                           -- E.164; NULL: withheld
    language        text,
    detail          text NOT NULL DEFAULT '',        -- a code: which red flag, why a low rating
    told_sealed     bytea,                           -- what was written on the page for it
    role            text CHECK (role IN ('doctor', 'nurse', 'midwife', 'pharmacist', 'psychologist', 'social_worker')),
    ward            text CHECK ((ward IS NULL) = (role IS NULL)),  -- whom a nurse asked for; NULL: as the site says
    recording_id    uuid UNIQUE REFERENCES recording,
    -- draft (a voice is being recorded) → open | void (nobody spoke);  open → owned → closed;  owned → open (given back)
    -- owned → owned (taken over)
    -- open → owned (of a red flag also: an agent answers its call);  open → closed (it was answered on the fixed phone)
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('draft', 'void', 'open', 'owned', 'closed')),
    owner_id        uuid REFERENCES account,
    opened_at       timestamptz NOT NULL,
    acknowledge_by  timestamptz NOT NULL,
    decide_by       timestamptz CHECK (decide_by >= acknowledge_by),
    acknowledged_at timestamptz,                     -- first owned
    overdue_of      timestamptz,                     -- the clock of which was told that it has passed
    closed_at       timestamptz,
    outcome         text,
    CHECK ((state IN ('draft', 'void')) <= (recording_id IS NOT NULL)),
    CHECK ((state = 'owned') <= (owner_id IS NOT NULL AND acknowledged_at IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (outcome IS NOT NULL))
);
CREATE INDEX care_case_due ON care_case (acknowledge_by) WHERE state IN ('open', 'owned');
CREATE INDEX care_case_call ON care_case (call_id);

-- What answers on a nurse's form raise, until she has dealt with it: no result of the call is taken before.
CREATE TABLE answer_flag (
    task_id    uuid NOT NULL REFERENCES followup_task ON DELETE CASCADE,
    code       text NOT NULL,                        -- the rule's, in the questionnaire's version
    -- standing → raised | set_aside | gone (corrected);  set_aside | gone → standing (an answer has changed)
    state      text NOT NULL DEFAULT 'standing' CHECK (state IN ('standing', 'raised', 'set_aside', 'gone')),
    since      timestamptz NOT NULL,
    settled_by uuid REFERENCES account,              -- NULL of a raised one: nobody dealt with it, and it went by itself
    settled_at timestamptz,
    case_id    uuid REFERENCES care_case,
    outcome    text CHECK (outcome IN ('treated', 'advised', 'handed_over', 'emergency_called', 'not_so')),
    why_sealed bytea,
    PRIMARY KEY (task_id, code),
    CHECK ((state = 'raised') <= (case_id IS NOT NULL AND settled_at IS NOT NULL)),
    CHECK ((state = 'set_aside') = (outcome IS NOT NULL)),
    CHECK ((state = 'set_aside') <= (why_sealed IS NOT NULL AND settled_by IS NOT NULL AND settled_at IS NOT NULL))
);
CREATE INDEX answer_flag_standing ON answer_flag (since) WHERE state = 'standing';

CREATE TABLE transcript (                            -- what a machine took the voice of a message for: may be wrong
    recording_id uuid PRIMARY KEY REFERENCES recording ON DELETE CASCADE,
    -- waiting → done;  waiting → failed (given up after some tries)
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    tries        smallint NOT NULL DEFAULT 0,
    language     text NOT NULL,
    engine       text NOT NULL DEFAULT '',           -- with its model and the beginning of the model's SHA-256
    said_sealed  bytea,                              -- JSON: [[from second, to second, words], …]
    made_at      timestamptz,
    corrected_sealed bytea,                          -- by a person, beside the original
    corrected_by uuid REFERENCES account,
    corrected_at timestamptz,
    CHECK ((state = 'done') = (said_sealed IS NOT NULL AND made_at IS NOT NULL)),
    CHECK (corrected_sealed IS NULL OR (state = 'done' AND corrected_by IS NOT NULL AND corrected_at IS NOT NULL))
);

CREATE TABLE case_note (                             -- only grows
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id     uuid NOT NULL REFERENCES care_case ON DELETE CASCADE,
    account_id  uuid NOT NULL REFERENCES account,
    at          timestamptz NOT NULL,
    text_sealed bytea NOT NULL
);
CREATE INDEX case_note_case ON case_note (case_id, id);

-- The history of a red flag: who was told of it, and who took it, gave it back or closed it. It only grows. Written by
-- whoever has locked the case, so that no step is taken twice.
CREATE TABLE urgent_step (
    case_id uuid NOT NULL REFERENCES care_case ON DELETE CASCADE,
    number  integer NOT NULL,
    whom    text NOT NULL CHECK (whom IN ('first', 'second', 'further', 'nobody', 'lead', 'supervisors',
            'overdue', 'taken', 'declined', 'given_back', 'closed')),
    told    uuid[] NOT NULL,                         -- accounts; of the last four: who did it, none on the fixed phone
    at      timestamptz NOT NULL,
    until   timestamptz CHECK (until >= at),         -- when it climbs; of overdue (no outcome in time) at once, and anew
    PRIMARY KEY (case_id, number),
    CHECK ((whom IN ('taken', 'declined', 'given_back', 'closed')) = (until IS NULL))
);

CREATE TABLE urgent_call (                           -- one person's telephone rings for one step: once
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    case_id     uuid NOT NULL REFERENCES care_case ON DELETE CASCADE,
    step        integer NOT NULL,
    account_id  uuid NOT NULL REFERENCES account,
    channel_id  text NOT NULL UNIQUE,                -- chosen and committed before anything is dialled
    -- claimed → dialling → talking → ended;  claimed | dialling → ended. Never dialled again, whatever is unknown.
    -- ended (unknown) → talking: its leg was not seen after a restart, and was answered all the same
    state       text NOT NULL DEFAULT 'claimed' CHECK (state IN ('claimed', 'dialling', 'talking', 'ended')),
    line_result text CHECK (line_result IN ('answered', 'busy', 'no_answer', 'rejected', 'invalid_number',
                'unreachable', 'network_failure', 'machine', 'fax', 'cancelled', 'unknown')),
    result      text CHECK (result IN ('taken', 'declined', 'gone')),            -- by key
    claimed_at  timestamptz NOT NULL,
    dialled_at  timestamptz,
    answered_at timestamptz,
    ended_at    timestamptz,
    FOREIGN KEY (case_id, step) REFERENCES urgent_step (case_id, number) ON DELETE CASCADE,
    UNIQUE (case_id, step, account_id),
    CHECK ((state = 'ended') = (line_result IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (result IS NULL OR answered_at IS NOT NULL),
    CHECK (state NOT IN ('dialling', 'talking') OR dialled_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_live_urgent_call_per_account ON urgent_call (account_id) WHERE state <> 'ended';

CREATE TABLE interpreter_call (                      -- who interprets is rung into a talk that goes on
    channel_id  text PRIMARY KEY,                    -- the interpreter's leg; chosen and committed before it is dialled
    talk        text NOT NULL,                       -- the patient's leg
    call_id     text REFERENCES call ON DELETE CASCADE,          -- the talk is an agent's,
    attempt_id  uuid REFERENCES attempt ON DELETE CASCADE,       -- or a nurse's follow-up
    account_id  uuid NOT NULL REFERENCES account,
    language    text NOT NULL,
    -- dialling → talking → ended;  dialling → ended
    state       text NOT NULL DEFAULT 'dialling' CHECK (state IN ('dialling', 'talking', 'ended')),
    line_result text CHECK (line_result IN ('answered', 'busy', 'no_answer', 'rejected', 'invalid_number',
                'unreachable', 'network_failure', 'machine', 'fax', 'cancelled', 'unknown')),
    dialled_at  timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at    timestamptz,
    CHECK (num_nonnulls(call_id, attempt_id) = 1),
    CHECK ((state = 'ended') = (line_result IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_interpreter_in_a_talk ON interpreter_call (talk) WHERE state <> 'ended';
CREATE INDEX interpreter_call_dialled ON interpreter_call (talk, dialled_at);

CREATE TABLE rating (                                -- one for each talk that was asked about, answered or not
    call_id      text PRIMARY KEY REFERENCES call ON DELETE CASCADE,
    number_token bytea,                              -- at most once a day for each number
    queue        text NOT NULL,
    account_id   uuid REFERENCES account,            -- who had answered
    language     text,
    asked_at     timestamptz NOT NULL,
    score        smallint CHECK (score BETWEEN 1 AND 5),
    reason       text CHECK (reason IN ('waited', 'not_understood', 'not_solved', 'unfriendly', 'other')),
    CHECK (reason IS NULL OR score <= 2)
);
CREATE INDEX rating_number ON rating (number_token, asked_at);
CREATE INDEX rating_asked ON rating (asked_at);

CREATE TABLE closure (                               -- the telephones are closed in an emergency, until somebody opens
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    begun_at  timestamptz NOT NULL,
    begun_by  uuid NOT NULL REFERENCES account,
    notices   jsonb NOT NULL,                        -- {"es": "…", "en": "…"}: what callers hear
    ended_at  timestamptz CHECK (ended_at >= begun_at),
    ended_by  uuid REFERENCES account,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX one_closure_at_a_time ON closure ((true)) WHERE ended_at IS NULL;

-- ── Answers and bookings by text message ────────────────────────────────────────────────────────────────────────

-- A questionnaire that is asked by text messages, one question at a time: one for each task, ever.
CREATE TABLE text_talk (
    task_id          uuid PRIMARY KEY REFERENCES followup_task ON DELETE CASCADE,
    questionnaire_id uuid NOT NULL REFERENCES questionnaire,           -- the version that is asked
    number_sealed    bytea NOT NULL,
    number_token     bytea NOT NULL,
    locale           text NOT NULL,
    -- proving (the birth date was asked for) → asking → ended;  proving → ended
    state            text NOT NULL CHECK (state IN ('proving', 'asking', 'ended')),
    item             text,                           -- what is asked now, or was last
    misses           smallint NOT NULL DEFAULT 0 CHECK (misses BETWEEN 0 AND 3),   -- replies to it that were no answer
    sent             smallint NOT NULL DEFAULT 1,    -- texts of ours: each is one row of the outbox
    begun_at         timestamptz NOT NULL,
    asked_at         timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL CHECK (expires_at > asked_at),
    ended_at         timestamptz,
    ended_by         text CHECK (ended_by IN ('answered', 'red_flag', 'not_understood', 'not_proved', 'stop', 'expired',
                     'overtaken')),                  -- overtaken: the task went on without it
    CHECK ((state = 'asking') <= (item IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL) AND (state = 'ended') = (ended_by IS NOT NULL))
);
CREATE UNIQUE INDEX one_talk_per_number ON text_talk (number_token) WHERE state <> 'ended';

-- An examination that is booked by text messages. A number is asked one thing at a time: while this is open, its replies
-- belong here.
CREATE TABLE text_booking (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number_sealed bytea NOT NULL,
    number_token  bytea NOT NULL,
    locale        text NOT NULL,                     -- of the word that began it
    patient_id    uuid REFERENCES patient ON DELETE CASCADE,   -- once their birth date was told
    department    text,                              -- the examination's code
    -- proving (the birth date was asked for) → choosing (which one) → ordered (a doctor's order?) → seeking; each but the
    -- first where it has to be asked. Ours to do: seeking (times) → offered → booking → ended; offered → seeking (other
    -- times), booking → seeking (it was taken).  Any → ended.
    state         text NOT NULL CHECK (state IN ('proving', 'choosing', 'ordered', 'seeking', 'offered', 'booking',
                  'ended')),
    offered       uuid[] NOT NULL DEFAULT '{}',      -- slots in the order of their numbers: no number is used again
    round_at      smallint NOT NULL DEFAULT 0 CHECK (round_at BETWEEN 0 AND cardinality(offered)),
                                                     -- those behind it are offered again when nothing else is left
    chosen        uuid,                              -- one of them; while seeking: it was taken
    misses        smallint NOT NULL DEFAULT 0 CHECK (misses BETWEEN 0 AND 3),
    sent          smallint NOT NULL DEFAULT 0 CHECK (sent BETWEEN 0 AND 20),   -- texts of ours: each a row of the outbox
    begun_at      timestamptz NOT NULL,
    asked_at      timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL CHECK (expires_at > asked_at),
    ended_at      timestamptz,
    ended_by      text CHECK (ended_by IN ('booked', 'by_phone', 'not_proved', 'no_order', 'no_times', 'not_understood',
                  'too_long', 'desk_failed', 'red_flag', 'stop', 'expired', 'overtaken')),
    appointment_id uuid,                             -- as whoever owns the slots names it
    CHECK (state IN ('proving', 'ended') OR patient_id IS NOT NULL),
    CHECK (state NOT IN ('seeking', 'offered', 'booking') OR department IS NOT NULL),
    CHECK (chosen IS NULL OR chosen = ANY (offered)),
    CHECK ((state = 'booking') <= (chosen IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL) AND (state = 'ended') = (ended_by IS NOT NULL)),
    CHECK ((appointment_id IS NOT NULL) = (ended_by IS NOT DISTINCT FROM 'booked'))
);
CREATE UNIQUE INDEX one_booking_per_number ON text_booking (number_token) WHERE state <> 'ended';
CREATE INDEX text_booking_number ON text_booking (number_token, begun_at);

CREATE TABLE text_reply (                             -- a text message that came in: kept once, with one fate, for good
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gateway       text NOT NULL,
    gateway_ref   text NOT NULL,                     -- told again by the gateway, it is the same
    number_sealed bytea NOT NULL,
    number_token  bytea NOT NULL,
    text_sealed   bytea NOT NULL,
    media         smallint NOT NULL DEFAULT 0 CHECK (media BETWEEN 0 AND 100),   -- pictures: they stay with the gateway
    came_at       timestamptz NOT NULL,
    fate          text NOT NULL CHECK (fate IN ('proof', 'answer', 'not_understood', 'red_flag', 'stop', 'start', 'help',
                  'booking', 'message')),            -- message: it belongs to nothing, and a person owns it
    task_id       uuid REFERENCES text_talk ON DELETE CASCADE,
    booking_id    uuid REFERENCES text_booking ON DELETE CASCADE,
    answer_id     bigint UNIQUE REFERENCES answer ON DELETE CASCADE,
    case_id       uuid REFERENCES care_case,
    UNIQUE (gateway, gateway_ref),
    CHECK ((fate IN ('proof', 'answer', 'not_understood')) <= (task_id IS NOT NULL)),
    CHECK ((fate = 'answer') <= (answer_id IS NOT NULL) AND (answer_id IS NOT NULL) <= (fate IN ('answer', 'red_flag'))),
    CHECK ((fate = 'booking') <= (booking_id IS NOT NULL)),
    CHECK ((fate IN ('red_flag', 'message')) <= (case_id IS NOT NULL)),
    -- a booking that a person finishes; an end of texts that may have meant an appointment
    CHECK ((case_id IS NOT NULL) <= (fate IN ('red_flag', 'message', 'booking', 'stop')))
);
CREATE INDEX text_reply_number ON text_reply (number_token, came_at);
CREATE INDEX text_reply_case ON text_reply (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX text_reply_task ON text_reply (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX text_reply_booking ON text_reply (booking_id) WHERE booking_id IS NOT NULL;

CREATE TABLE text_stop (                              -- a number that wants no text messages, until it says otherwise
    number_token bytea PRIMARY KEY,
    since        timestamptz NOT NULL
);

-- ── Who is on call ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE on_call_line (                          -- what has to be covered, from when it is opened until it is closed
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role      text NOT NULL CHECK (role IN ('doctor', 'nurse', 'midwife', 'pharmacist', 'psychologist',
              'social_worker')),
    ward      text NOT NULL,                         -- '': any ward
    lead_id   uuid REFERENCES account,               -- told when who is on call does not answer; NULL: the supervisors
    opened_by uuid NOT NULL REFERENCES account,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz CHECK (closed_at >= opened_at)
);
CREATE UNIQUE INDEX one_line_per_role_and_ward ON on_call_line (role, lower(ward)) WHERE closed_at IS NULL;

-- Repeats on its days, by the site's clock. That two of one line and rank never meet is proved when one is added, under a
-- lock (hospital/rota_records.py): their days repeat, and holidays are not known to SQL.
CREATE TABLE on_call_shift (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    line_id    uuid NOT NULL REFERENCES on_call_line,
    rank       smallint NOT NULL CHECK (rank IN (1, 2)),           -- first, second on call
    account_id uuid NOT NULL REFERENCES account,
    days       integer[] NOT NULL                    -- 1 Monday … 7 Sunday, 8 a public holiday instead of its weekday
               CHECK (cardinality(days) > 0 AND days <@ ARRAY[1, 2, 3, 4, 5, 6, 7, 8]),
    starts     time NOT NULL,
    ends       time NOT NULL,                        -- not later than starts: on the next day
    first_day  date NOT NULL,
    last_day   date,                                 -- of the last turn's beginning; before first_day: never
    made_by    uuid NOT NULL REFERENCES account,
    made_at    timestamptz NOT NULL
);
CREATE INDEX on_call_shift_line ON on_call_shift (line_id);

CREATE TABLE on_call_change (                        -- one day's turn of a shift is otherwise
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    shift_id   uuid NOT NULL REFERENCES on_call_shift,
    day        date NOT NULL,                        -- on which the turn begins
    kind       text NOT NULL CHECK (kind IN ('off', 'instead', 'swap')),
    account_id uuid REFERENCES account,              -- who has it instead
    -- a supervisor's decision is agreed at once.  swap: asked → agreed | declined.  asked | agreed → withdrawn
    state      text NOT NULL CHECK (state IN ('asked', 'agreed', 'declined', 'withdrawn')),
    asked_by   uuid NOT NULL REFERENCES account,
    asked_at   timestamptz NOT NULL,
    decided_by uuid REFERENCES account,              -- of a swap: who takes it
    decided_at timestamptz CHECK (decided_at >= asked_at),
    CHECK ((kind = 'off') = (account_id IS NULL)),
    CHECK (kind = 'swap' OR state IN ('agreed', 'withdrawn')),
    CHECK ((state = 'asked') = (decided_by IS NULL)),
    CHECK ((state = 'asked') = (decided_at IS NULL)),
    CHECK (kind <> 'swap' OR state <> 'agreed' OR decided_by = account_id)
);
CREATE UNIQUE INDEX one_agreed_change_per_turn ON on_call_change (shift_id, day) WHERE state = 'agreed';
CREATE UNIQUE INDEX one_swap_asked_per_turn ON on_call_change (shift_id, day) WHERE state = 'asked';

-- ── What the site changes without code ─────────────────────────────────────────────────────────────────────────────

CREATE TABLE edition (                               -- of a sheet: wording, own sentences, hours, triage, menu, outcomes
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sheet        text NOT NULL CHECK (sheet IN ('wording', 'information', 'hours', 'triage', 'menu', 'outcomes')),
    -- draft → published → replaced;  a draft may be thrown away; what was replaced is restored as a new one
    state        text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'replaced')),
    body         jsonb,                              -- in the shape of the sheet's file; NULL: what the file says
    changed_at   timestamptz NOT NULL,
    changed_by   uuid NOT NULL REFERENCES account,
    number       integer UNIQUE,                     -- counts over all sheets: who has loaded n is behind from n + 1 on
    published_at timestamptz CHECK (published_at >= changed_at),
    published_by uuid REFERENCES account,
    why          text NOT NULL DEFAULT '',
    CHECK ((state = 'draft') = (number IS NULL)),
    CHECK ((number IS NULL) = (published_at IS NULL)),
    CHECK ((number IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX one_draft_per_sheet ON edition (sheet) WHERE state = 'draft';
CREATE UNIQUE INDEX one_in_force_per_sheet ON edition (sheet) WHERE state = 'published';

-- ── A node, and what this database is ───────────────────────────────────────────────────────────────────────────

CREATE TABLE hearing (                               -- by node: whether callers may answer by voice there, as its ivr says
    node      text PRIMARY KEY,
    engine    text NOT NULL CHECK (engine IN ('off', 'whisper', 'vosk')),
    languages text[] NOT NULL,                       -- in which they are understood now; in the others by key
    trouble   text NOT NULL,                         -- what to do about it; '' for none
    since     timestamptz NOT NULL
);

CREATE TABLE fact (                                  -- what this database is: 'kind' → 'demo' | 'real'; 'key_check' →
                                                     -- a token by which the site's key is known again; 'schema' → of
                                                     -- which text of this file it was made, as whoever applies it says
    key   text PRIMARY KEY,
    value text NOT NULL
);
