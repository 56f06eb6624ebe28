/** A window on the address named on the command line, and nothing behind it. */
const { app, BrowserWindow } = require('electron');

app.disableHardwareAcceleration();
app.whenReady().then(() => {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    useContentSize: true,
    webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false },
  });
  return window.loadURL('about:blank');
});
