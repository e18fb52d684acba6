//! What `--help` says beside the flags: usage, exit codes, how to begin.

pub const AFTER_HELP: &str = "\
Exit codes:
    0      ran, valid, every expectation held
    1      could not run: nothing succeeded, or a file could not be written
    2      bad arguments or profile; nothing was sent
    3      invalid: the generator was the bottleneck, or too few samples
    4      inconclusive (compare, diff): the noise is wider than the tolerance
    99     an expectation failed, or a regression (diff)
    130    SIGINT (143: SIGTERM); the partial report is written

Begin with:
    gatebench                    the workbench on the quickstart
    gatebench run quickstart
    gatebench compare direct-vs-gateway
    gatebench profiles
    gatebench check PROFILE      is everything there that a run of it needs?
    gatebench run --url http://127.0.0.1:8000/v1 --model NAME -n 100";

pub const RUN_USAGE: &str = "\
gatebench run [OPTIONS] <PROFILE>
       gatebench run [OPTIONS] --url <URL> --model <MODEL>";

pub const SWEEP_USAGE: &str = "\
gatebench sweep [OPTIONS] <PROFILE> --set <KEY=V1,V2,…>
       gatebench sweep [OPTIONS] --url <URL> --model <MODEL> --set <KEY=V1,V2,…>";

pub const COMPARE_USAGE: &str = "\
gatebench compare [OPTIONS] <PROFILE>
       gatebench compare [OPTIONS] --url <URL> --model <MODEL> --arm <NAME: KEY=VALUE, …>";

pub const COMPARE_AFTER_HELP: &str = "\
The arms take turns in short blocks (A B B A …), so that a network that drifts
does so for all of them: runs one after the other differ even when nothing does.
-z is what each arm is measured for in all its blocks, unless --block says how
long one is; every block then waits for its last answers.

Exit codes:
    0      compared, valid, every expectation held in every arm
    1      could not run: nothing succeeded in an arm, or no round came to its end
    2      bad arguments or profile; nothing was sent
    3      invalid: the generator was the bottleneck, or too few samples
    4      a metric asked for is inconclusive, where --tolerance or --until (or the
           profile's) asked for a word
    99     an expectation failed in some arm
    130    SIGINT (143: SIGTERM); whole rounds until then are the result

Begin with:
    gatebench compare direct-vs-gateway
    gatebench compare quickstart --blocks 12 --block 1s
    gatebench compare pooled --arm 'small: stack.pool.max_connections=4'
    gatebench compare pooled --arm 'four: stack.pool.max_connections=4' \\
\x20       --arm 'eight: stack.pool.max_connections=8' --sweep users=1,8,64 -c 8";

pub const CHECK_USAGE: &str = "\
gatebench check [OPTIONS] <PROFILE>
       gatebench check [OPTIONS] --url <URL> --model <MODEL>";

pub const CHECK_AFTER_HELP: &str = "\
Each line is ok, warn, FAIL or skip, and says how to mend what is not ok.
For every route: its key, DNS, TCP, TLS, GET /models, and one call of 1 token,
made as a run makes it; then Redis and this machine. No step takes more than
10 s, and no key is shown.

Exit codes:
    0      ready, perhaps with warnings
    1      a route, Redis or this machine is not as a run needs it
    2      bad arguments or profile, or a key is missing; nothing was sent
    130    SIGINT (143: SIGTERM)

Begin with:
    gatebench check quickstart
    gatebench check open-provider --no-call
    gatebench check --url https://api.openai.com/v1 --model gpt-4.1-mini \\
\x20       --api-key-env OPENAI_API_KEY";

pub const DIFF_AFTER_HELP: &str = "\
Both runs have to be of the same question: load, workload, seed, prices and
simulated routes; the stack may differ. A metric is a regression if its 95%
interval is wholly beyond the tolerance, and passes if the interval's bad end
is within it. Without --metric these decide, where they have samples:
    response.p50 .p95 .p99, ttft.p50 .p95, qps (closed loop), errors,
    hit_rate, cost.cny_per_1k
Tolerances: 5%, 10% of p95 and p99 (of a latency 0.25 ms at least, unless it is
named), 1 point of a share, 0.5 of errors, 1 ms of a wait. Runs at different
times carry drift that no interval holds.

Exit codes:
    0      no metric is worse beyond its tolerance
    1      a file could not be written
    2      bad arguments, no report, or the runs were not asked the same
    3      a run is unsound, or a metric cannot be judged
    4      inconclusive: the noise is wider than the tolerance
    99     a regression

Begin with:
    gatebench run mine.toml --out base.json
    gatebench run mine.toml --set stack.pool.max_connections=32 --out new.json
    gatebench diff base.json new.json --tolerance response.p99=15%";

pub const TUI_USAGE: &str = "\
gatebench tui [OPTIONS] [PROFILE]
       gatebench tui [OPTIONS] --url <URL> --model <MODEL>";
