import './styles/page.css';
import './styles/panels.css';
import './styles/charts.css';
import './styles/whatIf.css';
import { App } from './app';

new App(document.body).start();
