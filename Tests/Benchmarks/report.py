"""What was measured, as Markdown."""

import datetime
import os
import pathlib
import ssl
import statistics

from ground import processor
from servers import output


def machine(ground):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = os.uname()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} × {processor()}, {memory:.0f} GiB",
        "kernel": f"{kernel.sysname} {kernel.release} {kernel.machine}, "
                  f"{ground.congestion} on the loopback",
        "OpenSSL": f"{output('openssl', 'version')}; of the client: {ssl.OPENSSL_VERSION}",
        "load average before": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }


def cipher_speed():
    """What one core encrypts, without any server."""
    lines = output("openssl", "speed", "-seconds", "1", "-evp", "aes-256-gcm",
                   "-bytes", "16384").splitlines()
    try:
        speed = float(lines[-1].split()[-1].rstrip("k")) / 1e3
        return f"{speed:,.0f} MB/s of AES-256-GCM on one core"
    except (IndexError, ValueError):
        return "openssl speed did not answer"


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def ratios(results, load, key, figure, programs, name):
    """By round: how many times better than the best peer in the same round."""
    found = []
    for entries in results[load]:
        own = entries.get(name, {}).get(key)
        peers = [value for program in programs if program.peer and program.name != name
                 for value in [entries.get(program.name, {}).get(key)] if value]
        if own and peers:
            best = (max if figure.higher else min)(peers)
            found.append(own / best if figure.higher else best / own)
    return found


def cell(results, load, key, figure, programs, program):
    values = [entries[program.name][key] for entries in results[load]
              if entries.get(program.name, {}).get(key) is not None]
    if not values:
        return "–"
    text = number(statistics.median(values))
    if len(values) > 1:
        text += f" ({number(min(values))}–{number(max(values))})"
    found = [] if program.peer or not figure.compared \
        else ratios(results, load, key, figure, programs, program.name)
    return text + (f" **×{statistics.median(found):.2f}**" if found else "")


def losses(results, loads, programs):
    for load in results:
        for key, figure in loads[load].figures.items():
            for program in programs:
                if program.peer or not figure.compared:
                    continue
                found = ratios(results, load, key, figure, programs, program.name)
                if found and statistics.median(found) < 1:
                    yield (f"{program.name}: {loads[load].title}, {figure.title}: "
                           f"×{statistics.median(found):.2f} of the best peer")


def markdown(run, loads, programs):
    lines = ["# Benchmarks", ""]
    lines += [f"- {name}: {value}" for name, value in run["machine"].items()]
    lines += [f"- {name}: {value}" for name, value in run["versions"].items()]
    lines += [f"- not measured: {text}" for text in run["missing"]]
    lines += ["", "Median of the rounds (lowest–highest). **×** compares with the best peer of "
              "the same round, as the median over rounds: above 1 is better than every peer, for "
              "rates and for costs alike. CPU is user and system time of all the server's processes."]
    for load, entries in run["results"].items():
        figures = {key: figure for key, figure in loads[load].figures.items()
                   if any(values.get(key) is not None
                          for entry in entries for values in entry.values())}
        lines += ["", f"## {load}: {loads[load].title}", ""]
        if not figures:
            lines.append("Nothing was measured.")
            continue
        lines += ["| server | " + " | ".join(figure.title for figure in figures.values()) + " |",
                  "|---" * (len(figures) + 1) + "|"]
        for program in programs:
            if any(program.name in entry for entry in entries):
                cells = [cell(run["results"], load, key, figure, programs, program)
                         for key, figure in figures.items()]
                lines.append(f"| {program.name} | " + " | ".join(cells) + " |")
    if run["results"] and any(program.peer for program in programs):
        lost = list(losses(run["results"], loads, programs))
        lines += ["", "## Losses", ""]
        lines += [f"- {text}" for text in lost] or ["None."]
    if run["failures"]:
        lines += ["", "## Failures", ""]
        lines += [f"- {text}" for text in run["failures"]]
    return "\n".join(lines) + "\n"


def save(text, name):
    path = pathlib.Path(__file__).resolve().parent / name
    path.write_text(text, encoding="utf-8")
    return path
