# Starts the outside systems and the dashboard as programs, waits until each answers, and stops them again.
# Sourced by start.sh (make run), e2e.sh and bench.sh after say.sh. Building is not done here.
#
# What comes in through the environment is the server's own configuration (see .env.example), plus
# MAIL_URL (where the mail catcher shows mails), PEER_DIR (where the orchestrator keeps its state) and LOG_DIR.

NAMES=() PIDS=() LOGS=()
BIN_DIR=${BIN_DIR:-target/debug}

# "127.0.0.1:3100" of "http://127.0.0.1:3100/path"
authority() { sed -E 's#^[a-z]+://##; s#/.*$##' <<<"$1"; }
is_loopback() { [[ $(authority "$1") =~ ^(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?$ ]]; }

taken() {
    local host=${1%:*} port=${1##*:}
    host=${host#[} host=${host%]}
    (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null
}
require_free() {
    # $1 what for, $2 address, $3 the variable that moves it
    if taken "$2"; then fail "The $1 cannot listen on $2: something else does. Stop that, or choose another address with $3."; fi
}

# Addresses on loopback that nothing listens on, below the range the kernel hands out by itself.
free_address() {
    local address
    while true; do
        address=127.0.0.1:$((20000 + RANDOM % 12000))
        taken "$address" || { echo "$address"; return; }
    done
}

# launch NAME LOG COMMAND...: in a process group of its own, so that Ctrl-C reaches only the script, which then
# stops things in the right order. LOG "-" is the terminal.
launch() {
    local name=$1 log=$2
    shift 2
    set -m
    if [[ $log == - ]]; then
        "$@" </dev/null &
    else
        "$@" </dev/null >"$log" 2>&1 &
    fi
    PIDS+=($!) NAMES+=("$name") LOGS+=("$log")
    # Its end is told by all_alive, not by the shell.
    disown $!
    set +m
}

tell_end() {
    # $1: which one. What it said last is the reason, most of the time.
    say "${RED}${NAMES[$1]} has ended.${PLAIN}"
    if [[ ${LOGS[$1]} != - ]]; then
        say "The end of ${LOGS[$1]}:"
        tail -n 20 "${LOGS[$1]}" >&2 || true
    fi
}

# Fails when any of them has ended; says which.
all_alive() {
    local index
    for index in "${!PIDS[@]}"; do
        kill -0 "${PIDS[$index]}" 2>/dev/null || { tell_end "$index"; return 1; }
    done
}

stop_last() {
    local index=$((${#PIDS[@]} - 1)) tick
    if kill -TERM -- "-${PIDS[$index]}" 2>/dev/null; then
        for ((tick = 0; tick < 150; tick++)); do
            kill -0 -- "-${PIDS[$index]}" 2>/dev/null || break
            sleep 0.1
        done
        if ((tick == 150)); then
            say "${NAMES[$index]} did not stop within 15 s and was killed."
            kill -KILL -- "-${PIDS[$index]}" 2>/dev/null || true
        fi
    fi
    unset "PIDS[$index]" "NAMES[$index]" "LOGS[$index]"
}

# The last started stops first: the server before what it talks to.
stop_all() {
    while ((${#PIDS[@]})); do stop_last; done
}

# await WHAT SECONDS COMMAND...: until the command succeeds.
await() {
    local what=$1 ticks=$(($2 * 10))
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        all_alive || return 1
        if ((--ticks <= 0)); then
            say "${RED}$what is not ready in time.${PLAIN}"
            local index=$((${#LOGS[@]} - 1))
            if [[ ${LOGS[$index]} != - ]]; then tail -n 20 "${LOGS[$index]}" >&2; fi
            return 1
        fi
        sleep 0.1
    done
}
answers() { curl -sf -o /dev/null --max-time 2 "$1"; }

# The variables of .env.example that are not set yet take the values given there; secrets have none there.
use_defaults() {
    local name value
    while IFS='=' read -r name value; do
        [[ $name =~ ^[A-Z][A-Z0-9_]*$ ]] || continue
        [[ $name == DATABASE_URL || -n ${!name+set} ]] || export "$name=$value"
    done <"$1"
}

random_secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# Settings for servers that live only as long as a test run: free addresses, secrets of their own, and nothing
# of what the developer has set, so that a run means the same everywhere. DATABASE_URL is left alone.
own_settings() {
    local addresses=() address
    # Different ones: none of them is listened on yet, so the same could come twice.
    while ((${#addresses[@]} < 5)); do
        address=$(free_address)
        [[ " ${addresses[*]-} " == *" $address "* ]] || addresses+=("$address")
    done
    export LISTEN_ADDR=${addresses[0]} METRICS_ADDR=${addresses[1]} PUBLIC_ORIGIN=http://${addresses[0]}
    export ORCHESTRATOR_URL=http://${addresses[2]} SANDBOX_API_URL=http://${addresses[2]}
    export SMTP_URL=smtp://${addresses[3]} MAIL_URL=http://${addresses[4]}
    SECRET_KEY=$(random_secret) ORCHESTRATOR_CREDENTIAL=$(random_secret)
    export SECRET_KEY ORCHESTRATOR_CREDENTIAL
    unset ISORUN_ENV SITE_ROOT REGION MAIL_FROM REFUSED_COUNTRIES TERMS_VERSION AUP_VERSION DPA_VERSION TRUSTED_PROXIES LOG LOG_FORMAT
    use_defaults .env.example
}

start_mail_catcher() {
    SMTP_LISTEN=$(authority "$SMTP_URL") HTTP_LISTEN=$(authority "$MAIL_URL") \
        launch "The mail catcher" "$LOG_DIR/mail-catcher.log" "$BIN_DIR/mail-catcher" || return 1
    await "The mail catcher" 10 answers "$MAIL_URL/"
}
start_orchestrator() {
    PEER_LISTEN=$(authority "$ORCHESTRATOR_URL") PEER_DIR=$PEER_DIR \
        launch "The orchestrator" "$LOG_DIR/orchestrator.log" "$BIN_DIR/orchestrator" || return 1
    await "The orchestrator" 10 taken "$(authority "$ORCHESTRATOR_URL")"
}
# $1: the log, "-" for the terminal. It waits for /readyz, so the database and its migrations are there too.
start_dashboard() {
    launch "The dashboard" "$1" "$BIN_DIR/isorun-dashboard" serve || return 1
    await "The dashboard" 30 answers "http://$LISTEN_ADDR/readyz"
}
