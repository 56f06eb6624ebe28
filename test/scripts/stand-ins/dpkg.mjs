/** dpkg --configure -a: only that it was asked. */
import './state.mjs';
