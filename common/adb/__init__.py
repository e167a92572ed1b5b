"""Android devices over adb. `server` is the only module that imports adbutils."""
