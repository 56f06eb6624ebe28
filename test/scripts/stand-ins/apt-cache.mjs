/** apt-cache show: this system's lists have no newer names. */
import './state.mjs';

process.exitCode = 100;
